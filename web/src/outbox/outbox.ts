/**
 * What a person has asked for and the fleet has not taken yet. Owns sending it, keeping it while nobody answers and
 * sending it again: every wish carries an id of its own or is decided once, so sending twice changes nothing.
 */
import { create } from "zustand";
import { Refusal, Unreachable } from "../api/client.ts";

export interface Wish {
  /** The id of the command or the gate. */
  readonly id: string;
  readonly session: string;
  /** What a person would recognise it by. */
  readonly text: string;
  readonly at: string;
  /** `overtaken`: somebody else was first, and the wish changed nothing. */
  readonly state: "sending" | "queued" | "accepted" | "overtaken" | "failed";
  readonly error: unknown;
  /** `again`: an earlier attempt may have arrived, though nobody said so. */
  readonly send: (again: boolean) => Promise<Answer>;
}

export type Answer = Extract<Wish["state"], "accepted" | "overtaken">;

interface Outbox {
  readonly wishes: ReadonlyMap<string, Wish>;
}

export const useOutbox = create<Outbox>(() => ({ wishes: new Map() }));

export async function wish(asked: Pick<Wish, "id" | "session" | "text" | "send">): Promise<void> {
  put({ ...asked, at: new Date().toISOString(), state: "sending", error: null });
  await attempt(asked.id, false);
}

/** Sends what could not be sent: when the connection is back, or because a person says so. */
export async function sendQueued(): Promise<void> {
  const queued = [...useOutbox.getState().wishes.values()].filter(({ state }) => state === "queued");
  // One after another: messages keep the order in which they were written.
  // oxlint-disable-next-line no-await-in-loop
  for (const { id } of queued) await attempt(id, true);
}

export async function sendAgain(id: string): Promise<void> {
  await attempt(id, true);
}

/** Whether it waits here for a connection: it is decided, and nobody else knows. */
export function isQueued(wishes: Outbox["wishes"], id: string): boolean {
  return wishes.get(id)?.state === "queued";
}

/** How many decisions of a session wait here for a connection. What is not a message is a decision. */
export function queuedDecisions(wishes: Outbox["wishes"], session: string): number {
  const queued = [...wishes.values()].filter((it) => it.session === session && it.state === "queued");
  return queued.filter(({ id }) => !id.startsWith("cmd_")).length;
}

export function forget(id: string): void {
  useOutbox.setState(({ wishes }) => {
    const next = new Map(wishes);
    next.delete(id);
    return { wishes: next };
  });
}

async function attempt(id: string, again: boolean): Promise<void> {
  const asked = useOutbox.getState().wishes.get(id);
  if (!asked) return;
  put({ ...asked, state: "sending", error: null });
  try {
    put({ ...asked, state: await asked.send(again), error: null });
  } catch (error) {
    put({ ...asked, state: isPassing(error) ? "queued" : "failed", error });
  }
}

/** Nobody answered, or somebody who is not ready yet: the same wish may do better later. */
function isPassing(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Refusal && error.status === 503);
}

function put(next: Wish): void {
  useOutbox.setState(({ wishes }) => ({ wishes: new Map(wishes).set(next.id, next) }));
}
