import { describe, expect, it } from "vitest";
import { begin, HELLO_MS_MAX, type Input, type Link, RETRY_MS_MAX, step } from "./machine.ts";

const at = (now: number, chance = 1): { now: number; chance: number } => ({ now, chance });
const hello: Input = { type: "hello", heartbeatMs: 1000 };

function live(now = 0): Link {
  return step(begin(now).link, hello, at(now)).link;
}

describe("a connection", () => {
  it("is opened at once and live after hello", () => {
    expect(begin(5).effects).toEqual(["open"]);
    expect(live(5)).toMatchObject({ phase: "live", heardAt: 5 });
  });

  it("is asked for a sign of life when it is quiet, and given up when it gives none", () => {
    let { link, effects } = step(live(), { type: "tick" }, at(900));
    expect(effects).toEqual([]);
    ({ link, effects } = step(link, { type: "tick" }, at(1100)));
    expect(effects).toEqual(["ping"]);
    ({ link, effects } = step(link, { type: "tick" }, at(2100)));
    expect(effects).toEqual(["close"]);
    expect(link).toMatchObject({ phase: "reconnecting", attempt: 1, since: 0 });
  });

  it("stays while anything is heard", () => {
    const heard = step(live(), { type: "heard" }, at(1900)).link;
    expect(step(heard, { type: "tick" }, at(2800)).effects).toEqual([]);
  });

  it("is tried again after waits that grow to a bound, and says since when it is not live", () => {
    let link = step(live(), { type: "closed" }, at(100)).link;
    let now = 100;
    const waits: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      if (link.phase !== "reconnecting" || link.retryAt === null) throw new Error(link.phase);
      waits.push(link.retryAt - now);
      now = link.retryAt;
      const tried = step(link, { type: "tick" }, at(now));
      expect(tried.effects).toEqual(["open"]);
      link = step(tried.link, { type: "closed" }, at(now)).link;
      expect(link.since).toBe(0);
    }
    expect(waits[0]).toBeLessThan(1000);
    expect(waits.toSorted((a, b) => a - b)).toEqual(waits);
    expect(waits.at(-1)).toBe(RETRY_MS_MAX);
  });

  it("waits differently by chance", () => {
    const waits = [0, 0.5, 1].map((chance) => {
      const { link } = step(live(), { type: "closed" }, at(0, chance));
      return link.phase === "reconnecting" ? link.retryAt : null;
    });
    expect(new Set(waits).size).toBe(3);
  });

  it("that says nothing when opened is given up", () => {
    const stuck = step(begin(0).link, { type: "tick" }, at(HELLO_MS_MAX + 1));
    expect(stuck.effects).toEqual(["close"]);
    expect(stuck.link.phase).toBe("reconnecting");
  });

  it("closing twice counts once", () => {
    const once = step(live(), { type: "closed" }, at(10)).link;
    expect(step(once, { type: "closed" }, at(20)).link).toEqual(once);
  });

  it("does not try without a network, and tries at once when it is back", () => {
    const off = step(live(), { type: "network", online: false }, at(50));
    expect(off.effects).toEqual(["close"]);
    expect(off.link).toEqual({ phase: "offline", since: 0 });
    expect(step(off.link, { type: "closed" }, at(60)).link.phase).toBe("offline");
    expect(step(off.link, { type: "tick" }, at(99_999)).effects).toEqual([]);
    expect(step(off.link, { type: "network", online: true }, at(70)).effects).toEqual(["open"]);
  });

  it("is doubted when a tab comes to the front again", () => {
    expect(step(live(), { type: "shown" }, at(500)).effects).toEqual(["ping"]);
    expect(step(live(), { type: "shown" }, at(60_000)).effects).toEqual(["close"]);
    const waiting = step(live(), { type: "closed" }, at(10)).link;
    expect(step(waiting, { type: "shown" }, at(20)).effects).toEqual(["open"]);
  });
});
