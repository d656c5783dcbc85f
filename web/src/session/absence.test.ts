import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EventRow, SessionRow } from "../api/wire.ts";
import type { SessionFrame, Socket } from "../stream/connect.ts";
import { SessionStore } from "./store.ts";

const session = "ses_1";
// A row with what a store reads of it.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const row = { id: session, undelivered: [] } as unknown as SessionRow;

function events(from: number, to: number): EventRow[] {
  return Array.from({ length: to - from + 1 }, (_, index) => {
    const seq = from + index;
    return {
      v: 1,
      id: `evt_${seq}`,
      session,
      host: "vps-1",
      epoch: 1,
      seq,
      at: new Date(seq * 1000).toISOString(),
      type: "message.assistant",
      data: { turn: "turn_1", message: `msg_${seq}`, block: 0, kind: "text", text: `${seq}`, parent: null },
    };
  });
}

function subscribed(from: number, to: number, reset: boolean): SessionFrame {
  return { type: "subscribed", session, row, from, to, reset, tail: events(from, to), live: [], gates: [] };
}
const more = (from: number, to: number): SessionFrame => ({
  type: "events",
  session,
  events: events(from, to),
});

const numbers = (from: number, to: number): string[] => events(from, to).map(({ seq }) => `${seq}`);

describe("a session whose tab was away", () => {
  let resyncs = 0;
  let store: SessionStore;
  const receive = (frame: SessionFrame): void => {
    store.receive(frame);
    vi.advanceTimersByTime(20);
  };
  const texts = (): string[] => {
    const { log } = store.current();
    return (log?.order ?? []).map((id) => {
      const item = log?.items.get(id);
      return item?.kind === "speech" ? item.text : "";
    });
  };

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("window", globalThis);
    vi.stubGlobal("requestAnimationFrame", (run: () => void) => setTimeout(run, 16));
    vi.stubGlobal("cancelAnimationFrame", (timer: number) => clearTimeout(timer));
    resyncs = 0;
    const socket = {
      resync: () => {
        resyncs += 1;
      },
      watchSession: () => () => {},
    };
    // Of the socket a store uses these two.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    store = new SessionStore(session, socket as unknown as Socket);
    store.subscribe(() => {});
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("takes a batch with a hole not at all, and asks for what is missing", () => {
    receive(subscribed(1, 3, true));
    const [fourth] = events(4, 4);
    const [sixth] = events(6, 6);
    if (!fourth || !sixth) throw new Error("no events");
    receive({ type: "events", session, events: [fourth, sixth] });
    expect(texts()).toEqual(numbers(1, 3));
    expect(store.cursor()).toBe(3);
    vi.advanceTimersByTime(1);
    expect(resyncs).toBe(1);
    receive(subscribed(4, 6, false));
    expect(texts()).toEqual(numbers(1, 6));
  });

  it("does not ask again and again for a hole that stays", () => {
    receive(subscribed(1, 3, true));
    for (let round = 0; round < 100; round += 1) receive(more(10, 12));
    // 100 rounds are two seconds; the first is asked for at once, the next after two.
    expect(resyncs).toBeLessThanOrEqual(2);
    for (let round = 0; round < 400; round += 1) receive(more(10, 12));
    expect(resyncs).toBeGreaterThan(2);
    expect(resyncs).toBeLessThanOrEqual(6);
    expect(texts()).toEqual(numbers(1, 3));
  });

  it("takes what comes twice once", () => {
    receive(subscribed(1, 3, true));
    receive(more(2, 5));
    receive(more(4, 5));
    expect(texts()).toEqual(numbers(1, 5));
  });

  it("begins anew with the end after a long absence, knows where it left off, and loads back to there", async () => {
    receive(subscribed(1, 50, true));
    receive(subscribed(9_801, 10_000, true));
    expect(texts()).toEqual(numbers(9_801, 10_000));
    expect(store.current()).toMatchObject({ leftOff: 50, begun: 2, older: "more" });

    const asked: number[] = [];
    vi.stubGlobal("fetch", (url: string) => {
      const { searchParams } = new URL(url, "http://fleet.example.org");
      const before = Number(searchParams.get("before"));
      asked.push(before);
      const first = Math.max(1, before - Number(searchParams.get("limit")));
      const items = events(first, before - 1).toReversed();
      return Promise.resolve(new Response(JSON.stringify({ items, next: null })));
    });
    await store.backToLeftOff();
    expect(texts()).toEqual(numbers(1, 10_000));
    expect(asked).toEqual([9801, 8801, 7801, 6801, 5801, 4801, 3801, 2801, 1801, 801]);
    receive(more(10_001, 10_001));
    expect(texts().at(-1)).toBe("10001");
  });

  it("refuses an older page that leaves a hole, and keeps what it has", async () => {
    receive(subscribed(101, 200, true));
    vi.stubGlobal("fetch", () =>
      Promise.resolve(new Response(JSON.stringify({ items: events(20, 90), next: null }))),
    );
    await store.loadOlder();
    expect(store.current().older).toBe("failed");
    expect(texts()).toEqual(numbers(101, 200));
  });

  it("makes no mark of a reconnect that missed next to nothing", () => {
    receive(subscribed(1, 50, true));
    receive(subscribed(51, 55, false));
    expect(store.current().leftOff).toBeNull();
    expect(texts()).toEqual(numbers(1, 55));
  });
});
