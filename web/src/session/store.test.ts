import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EventRow, SessionRow } from "../api/wire.ts";
import type { SessionFrame, Socket } from "../stream/connect.ts";
import { SessionStore } from "./store.ts";

type LiveRow = Extract<SessionFrame, { type: "live" }>["live"][number];

const TAIL = 200;

/** An event of a newer build: it has a number, and that is what counts here. */
function row(seq: number): EventRow {
  const at = new Date(Date.UTC(2026, 0, 1) + seq).toISOString();
  const body = { type: "session.teleported", data: {} };
  return { v: 1, id: `evt_${seq}`, session: "ses_1", host: "vps-1", epoch: 1, seq, at, ...body };
}

function span(from: number, to: number): EventRow[] {
  return Array.from({ length: to - from + 1 }, (_, index) => row(from + index));
}

/** What the coordinator answers to `subscribe`. */
function subscribed(after: number | null, last: number, live: LiveRow[] = []) {
  const reset = after === null || last - after > 1000;
  const from = reset ? Math.max(1, last - TAIL + 1) : after + 1;
  const frame = {
    type: "subscribed",
    session: "ses_1",
    row: { undelivered: [] as unknown[] } as SessionRow,
    gates: [],
    live,
  };
  return { ...frame, tail: span(from, last), from, to: last, reset } as SessionFrame;
}

function piece(offset: number, text: string): LiveRow {
  const data = { turn: null, message: "m1", block: 0, kind: "text" as const, offset, text };
  return { session: "ses_1", epoch: 1, at: row(1).at, type: "delta", data };
}

/** A socket that asks nobody: what was asked is looked at. */
class Asked {
  resynced: string[] = [];
  watchSession = (): (() => void) => () => {};
  resync = (session: string): void => {
    this.resynced.push(session);
  };
}

function held(store: SessionStore): [number, number] {
  const { log } = store.current();
  return [log?.from ?? -1, log?.cursor ?? -1];
}

describe("a session in a tab", () => {
  let asked: Asked;
  let store: SessionStore;
  const receive = (...frames: SessionFrame[]): void => {
    for (const frame of frames) store.receive(frame);
    vi.runAllTimers();
  };

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("window", globalThis);
    vi.stubGlobal("requestAnimationFrame", () => 0);
    vi.stubGlobal("cancelAnimationFrame", () => {});
    asked = new Asked();
    store = new SessionStore("ses_1", asked as unknown as Socket);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("that is ten thousand events behind starts anew with the tail and pages back without a hole", async () => {
    receive(subscribed(null, 150));
    expect(held(store)).toEqual([1, 150]);
    receive(subscribed(store.cursor(), 10_400), {
      type: "events",
      session: "ses_1",
      events: span(10_401, 10_402),
    });
    expect(held(store)).toEqual([10_201, 10_402]);
    vi.stubGlobal("fetch", async (path: string) => {
      const query = new URL(path, "http://flotilla").searchParams;
      const before = Number(query.get("before"));
      const items = span(Math.max(1, before - Number(query.get("limit"))), before - 1);
      return new Response(JSON.stringify({ items, next: null }));
    });
    let pages = 0;
    while (store.current().older !== "none") {
      await store.loadOlder();
      expect(store.current().older).not.toBe("failed");
      pages += 1;
      expect(pages).toBeLessThan(100);
    }
    expect(held(store)).toEqual([1, 10_402]);
    expect(asked.resynced).toEqual([]);
  });

  it("takes nothing of a batch that does not join on, and asks from its cursor", () => {
    receive(subscribed(null, 10), {
      type: "events",
      session: "ses_1",
      events: [...span(11, 12), ...span(14, 15)],
    });
    expect(held(store)).toEqual([1, 10]);
    expect(asked.resynced).toEqual(["ses_1"]);
    receive(subscribed(store.cursor(), 15));
    expect(held(store)).toEqual([1, 15]);
  });

  it("keeps the text that is being written when a coordinator comes that does not know it yet", () => {
    receive(subscribed(null, 3, [piece(0, "Hello")]));
    receive(subscribed(3, 4));
    expect(store.current().log?.partials.map((partial) => partial.text)).toEqual(["Hello"]);
    receive({ type: "live", session: "ses_1", live: [piece(5, ", world")] });
    expect(store.current().log?.partials.map((partial) => partial.text)).toEqual(["Hello, world"]);
  });
});
