/**
 * The life of one session as the browser knows it: a pure function of what the socket brought.
 * Owns the rule that no event is lost or taken twice; how one event changes the log is `draft`'s.
 * Knows nothing of sockets, of clocks or of React.
 */
import { knownEvent } from "../api/decode.ts";
import type { EventRow, Live } from "../api/wire.ts";
import { Draft } from "./draft.ts";
import { noFacts, type SessionFacts } from "./facts.ts";
import type { Item, UserItem } from "./items.ts";
import { foldLive, noPartials, type Partials } from "./live.ts";

export interface SessionLog {
  /** The seq of the first event held; what is before it can be asked for. */
  readonly from: number;
  /** The seq of the last event taken in. */
  readonly cursor: number;
  /** Another array only when an item was added. */
  readonly order: readonly string[];
  /** Only the items that an event touched are other objects. */
  readonly items: ReadonlyMap<string, Item>;
  /** Messages the agent has not taken up, oldest first. */
  readonly queue: readonly UserItem[];
  readonly partials: Partials;
  readonly facts: SessionFacts;
}

export interface Folded {
  readonly log: SessionLog;
  /** Events between these two numbers are missing, and nothing of the batch was taken. */
  readonly hole: { readonly expected: number; readonly got: number } | null;
}

/** A log that begins after `cursor`. */
export function emptyLog(cursor: number): SessionLog {
  return {
    from: cursor + 1,
    cursor,
    order: [],
    items: new Map(),
    queue: [],
    partials: noPartials,
    facts: noFacts,
  };
}

/** Takes a batch in, whole or not at all. Events already taken are ignored. */
export function fold(log: SessionLog, rows: readonly EventRow[]): Folded {
  const fresh = rows.filter((row) => row.seq > log.cursor);
  for (const [index, row] of fresh.entries()) {
    const expected = log.cursor + 1 + index;
    if (row.seq !== expected) return { log, hole: { expected, got: row.seq } };
  }
  if (fresh.length === 0) return { log, hole: null };
  const draft = new Draft(log);
  for (const row of fresh) {
    const event = knownEvent(row);
    if (event) draft.take(event);
  }
  return { log: draft.finish(log.cursor + fresh.length), hole: null };
}

/** Takes in what is seen now and not kept. */
export function foldLives(log: SessionLog, lives: readonly Live[]): SessionLog {
  const done = (key: string): boolean => log.items.has(key);
  const partials = lives.reduce((known, live) => foldLive(known, live, done), log.partials);
  return partials === log.partials ? log : { ...log, partials };
}
