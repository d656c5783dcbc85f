/**
 * When to connect, when to wait and when to give a connection up, as a pure machine: no socket, no clock, no timer.
 * Time and chance are given to it; what is to be done comes out as effects.
 */

export type Link =
  /** The first attempt. */
  | { readonly phase: "connecting"; readonly since: number }
  | { readonly phase: "live"; readonly since: number; readonly heardAt: number; readonly heartbeatMs: number }
  /** The connection was lost or refused; `retryAt` is null while an attempt runs. */
  | {
      readonly phase: "reconnecting";
      readonly since: number;
      readonly attempt: number;
      readonly startedAt: number;
      readonly retryAt: number | null;
    }
  /** The browser itself says that there is no network. */
  | { readonly phase: "offline"; readonly since: number };

export type Input =
  | { readonly type: "hello"; readonly heartbeatMs: number }
  | { readonly type: "heard" }
  | { readonly type: "closed" }
  | { readonly type: "tick" }
  | { readonly type: "network"; readonly online: boolean }
  /** The tab is in front again: a frozen tab does not know that its connection died. */
  | { readonly type: "shown" };

export type Effect = "open" | "close" | "ping";

/** What is given from outside: the present, and a number from 0 to 1. */
export interface Given {
  readonly now: number;
  readonly chance: number;
}

export const RETRY_MS_MIN = 400;
export const RETRY_MS_MAX = 15_000;
/** An attempt that has not said hello by then is given up. */
export const HELLO_MS_MAX = 10_000;
/** Until the coordinator says how often it is heard. */
export const HEARTBEAT_MS = 15_000;

export interface Step {
  readonly link: Link;
  readonly effects: readonly Effect[];
}

export function begin(now: number): Step {
  return { link: { phase: "connecting", since: now }, effects: ["open"] };
}

export function step(link: Link, input: Input, given: Given): Step {
  switch (input.type) {
    case "hello":
      return only({ phase: "live", since: given.now, heardAt: given.now, heartbeatMs: input.heartbeatMs });
    case "heard":
      return only(link.phase === "live" ? { ...link, heardAt: given.now } : link);
    case "closed":
      return lost(link, given);
    case "tick":
      return tick(link, given);
    case "network":
      return input.online ? back(link, given) : gone(link, given);
    case "shown":
      return shown(link, given);
  }
}

function only(link: Link): Step {
  return { link, effects: [] };
}

/** Waits longer after each failure, and never exactly as long as every other tab. */
function lost(link: Link, { now, chance }: Given): Step {
  if (link.phase === "offline") return only(link);
  if (link.phase === "reconnecting" && link.retryAt !== null) return only(link);
  const attempt = link.phase === "reconnecting" ? link.attempt + 1 : 1;
  const ceiling = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** Math.min(attempt, 10));
  const retryAt = now + Math.round(ceiling / 2 + (ceiling / 2) * chance);
  const since = link.phase === "live" ? link.heardAt : link.since;
  return only({ phase: "reconnecting", since, attempt, startedAt: now, retryAt });
}

function tick(link: Link, given: Given): Step {
  const { now } = given;
  switch (link.phase) {
    case "offline":
      return only(link);
    case "connecting":
      return now - link.since > HELLO_MS_MAX ? giveUp(link, given) : only(link);
    case "reconnecting":
      if (link.retryAt === null)
        return now - link.startedAt > HELLO_MS_MAX ? giveUp(link, given) : only(link);
      if (now < link.retryAt) return only(link);
      return { link: { ...link, startedAt: now, retryAt: null }, effects: ["open"] };
    case "live": {
      const silent = now - link.heardAt;
      if (silent > 2 * link.heartbeatMs) return giveUp(link, given);
      return { link, effects: silent > link.heartbeatMs ? ["ping"] : [] };
    }
  }
}

function giveUp(link: Link, given: Given): Step {
  return { link: lost(link, given).link, effects: ["close"] };
}

function gone(link: Link, { now }: Given): Step {
  if (link.phase === "offline") return only(link);
  return {
    link: { phase: "offline", since: link.phase === "live" ? link.heardAt : now },
    effects: ["close"],
  };
}

/** There may be a network again: try at once, whatever the wait was. */
function back(link: Link, { now }: Given): Step {
  if (link.phase === "live" || link.phase === "connecting") return only(link);
  if (link.phase === "reconnecting" && link.retryAt === null) return only(link);
  return {
    link: { phase: "reconnecting", since: link.since, attempt: 1, startedAt: now, retryAt: null },
    effects: ["open"],
  };
}

function shown(link: Link, given: Given): Step {
  if (link.phase !== "live") return back(link, given);
  if (given.now - link.heardAt > 2 * link.heartbeatMs) return giveUp(link, given);
  return { link, effects: ["ping"] };
}
