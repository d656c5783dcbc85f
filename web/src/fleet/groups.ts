/** Which group a session stands in, and in what order: by what a person has to do about it. */
import type { SessionRow, State } from "../api/wire.ts";

export type Group = "needs" | "working" | "queued" | "idle" | "silent" | "asleep" | "ended";

export interface SessionGroup {
  readonly group: Group;
  readonly rows: readonly SessionRow[];
}

export const groupTitles: Record<Group, string> = {
  needs: "Needs you",
  working: "Working",
  queued: "Queued",
  idle: "Idle",
  silent: "Host silent",
  asleep: "Asleep",
  ended: "Ended",
};

const groupOrder: readonly Group[] = ["needs", "working", "queued", "idle", "silent", "asleep", "ended"];

export function groupOf(row: SessionRow): Group {
  // One that is on its way to its host is there in a moment.
  if (row.state === "queued" && row.host === null) return "queued";
  return row.pending_gates > 0 && row.state !== "ended" ? "needs" : byState[row.state];
}

const byState: Record<State, Group> = {
  queued: "working",
  starting: "working",
  working: "working",
  waiting: "needs",
  idle: "idle",
  asleep: "asleep",
  lost: "silent",
  ended: "ended",
};

export function groupSessions(rows: Iterable<SessionRow>): SessionGroup[] {
  const groups = new Map<Group, SessionRow[]>();
  for (const row of rows) {
    const group = groupOf(row);
    groups.set(group, [...(groups.get(group) ?? []), row]);
  }
  return groupOrder.flatMap((group) => {
    const found = groups.get(group);
    return found ? [{ group, rows: found.toSorted(orders[group]) }] : [];
  });
}

/** Age of creation does not change, so nothing moves while work goes on; who waits longest is first. */
const newestFirst = (one: SessionRow, other: SessionRow): number =>
  other.created_at.localeCompare(one.created_at) || other.id.localeCompare(one.id);
const longestWaitFirst = (one: SessionRow, other: SessionRow): number =>
  (one.waiting_since ?? one.updated_at).localeCompare(other.waiting_since ?? other.updated_at) ||
  newestFirst(one, other);

const nextFirst = (one: SessionRow, other: SessionRow): number =>
  (one.queue?.position ?? 0) - (other.queue?.position ?? 0) || newestFirst(other, one);

const orders: Record<Group, (one: SessionRow, other: SessionRow) => number> = {
  needs: longestWaitFirst,
  working: newestFirst,
  queued: nextFirst,
  idle: newestFirst,
  silent: newestFirst,
  asleep: newestFirst,
  ended: (one, other) => other.updated_at.localeCompare(one.updated_at),
};

/**
 * The new rows in the old places. While a pointer is on the list nothing may move under it: rows stay in their group
 * and order, those that are gone leave, and new ones are added at the end of theirs.
 */
export function holdPlaces(shown: readonly SessionGroup[], next: readonly SessionGroup[]): SessionGroup[] {
  const fresh = new Map(next.flatMap(({ rows }) => rows.map((row) => [row.id, row])));
  const placed = new Set(shown.flatMap(({ rows }) => rows.map((row) => row.id)));
  const held = new Map<Group, SessionRow[]>();
  for (const { group, rows } of shown) {
    held.set(
      group,
      rows.flatMap((row) => fresh.get(row.id) ?? []),
    );
  }
  for (const { group, rows } of next) {
    const added = rows.filter((row) => !placed.has(row.id));
    if (added.length > 0) held.set(group, [...(held.get(group) ?? []), ...added]);
  }
  return groupOrder.flatMap((group) => {
    const rows = held.get(group) ?? [];
    return rows.length > 0 ? [{ group, rows }] : [];
  });
}
