/** What the fleet's lists and the inbox show, as the socket keeps telling it. Owns merging; knows no drawing. */
import { create } from "zustand";
import type { Gate, HostRow, SessionRow } from "../api/wire.ts";
import type { FleetFrame } from "../stream/connect.ts";

export interface Fleet {
  /** False until the first whole picture came. */
  readonly ready: boolean;
  readonly sessions: ReadonlyMap<string, SessionRow>;
  /** Pending ones, and those decided or withdrawn since this tab was opened. */
  readonly gates: ReadonlyMap<string, Gate>;
  readonly hosts: ReadonlyMap<string, HostRow>;
}

export const emptyFleet: Fleet = { ready: false, sessions: new Map(), gates: new Map(), hosts: new Map() };

export const useFleet = create<Fleet>(() => emptyFleet);

export function receiveFleet(frame: FleetFrame): void {
  useFleet.setState((fleet) => mergeFleet(fleet, frame));
}

/** A gate that a request brought: it may be newer than the socket's. */
export function receiveGate(gate: Gate): void {
  useFleet.setState((fleet) => ({ gates: merged(fleet.gates, [gate], (it) => it.id, newerGate) }));
}

/** One that was taken out of the list here; other tabs learn of it with their next whole picture. */
export function forgetHost(host: string): void {
  useFleet.setState(({ hosts }) => ({ hosts: new Map([...hosts].filter(([name]) => name !== host)) }));
}

export function mergeFleet(fleet: Fleet, frame: FleetFrame): Fleet {
  const { snapshot } = frame;
  return {
    ready: fleet.ready || snapshot,
    sessions: merged(snapshot ? new Map() : fleet.sessions, frame.sessions, (row) => row.id),
    gates: merged(
      snapshot ? stillKnown(fleet.gates, frame.gates) : fleet.gates,
      frame.gates,
      (it) => it.id,
      newerGate,
    ),
    hosts: merged(snapshot ? new Map() : fleet.hosts, frame.hosts, (row) => row.host),
  };
}

/** Pending gates, oldest first. */
export function pendingGates(gates: Fleet["gates"]): Gate[] {
  return [...gates.values()].filter((gate) => gate.state === "pending").toSorted(byAge);
}

/** Decided, and neither delivered nor withdrawn: it is shown until it has arrived. */
export function isOnTheWay({ state, receipts }: Gate): boolean {
  return state === "decided" && receipts.delivered_at === null && receipts.finished_at === null;
}

export function byAge(one: Gate, other: Gate): number {
  return one.opened_at.localeCompare(other.opened_at) || one.id.localeCompare(other.id);
}

/** A gate that was pending and is not in the new picture was settled meanwhile; how is asked for when it is shown. */
function stillKnown(known: Fleet["gates"], shown: readonly Gate[]): Fleet["gates"] {
  const pending = new Set(shown.map((gate) => gate.id));
  return new Map([...known].filter(([id, gate]) => gate.state !== "pending" || pending.has(id)));
}

function merged<T>(
  known: ReadonlyMap<string, T>,
  rows: readonly T[],
  key: (row: T) => string,
  choose: (known: T, row: T) => T = (_, row) => row,
): ReadonlyMap<string, T> {
  if (rows.length === 0) return known;
  const next = new Map(known);
  for (const row of rows) {
    const before = next.get(key(row));
    next.set(key(row), before === undefined ? row : choose(before, row));
  }
  return next;
}

/** States only go forward: an answer that was overtaken on the way does not undo what is known. */
function newerGate(known: Gate, row: Gate): Gate {
  return progress(row) >= progress(known) ? row : known;
}

function progress(gate: Gate): number {
  const { decided_at, delivered_at, released_at, finished_at } = gate.receipts;
  const steps = [decided_at, delivered_at, released_at, finished_at].filter(Boolean).length;
  return gate.state === "pending" ? 0 : 1 + steps;
}
