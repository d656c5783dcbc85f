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
  /**
   * `queued`: nobody has said yet that they have it; it is sent, or sent again, until somebody does.
   * `overtaken`: somebody else was first, and the wish changed nothing.
   */
  readonly state: "sending" | "queued" | "accepted" | "overtaken" | "failed";
  readonly error: unknown;
  /** May be called while an earlier attempt is on its way; that one is given up then. */
  readonly send: (givenUp: AbortSignal) => Promise<Answer>;
}

export type Answer = Extract<Wish["state"], "accepted" | "overtaken">;

interface Outbox {
  readonly wishes: ReadonlyMap<string, Wish>;
}

export const useOutbox = create<Outbox>(() => ({ wishes: new Map() }));

/** One attempt that nobody has answered yet. */
interface Flight {
  readonly began: number;
  readonly givenUp: AbortController;
}

const flights = new Map<string, Flight>();

/** An answer is quick. After this it is honest to say that nobody has taken the wish, though it may still arrive. */
const QUICK_MS = 2000;

export async function wish(asked: Pick<Wish, "id" | "session" | "text" | "send">): Promise<void> {
  put({ ...asked, at: new Date().toISOString(), state: "sending", error: null });
  await attempt(asked.id);
}

/**
 * Sends what could not be sent. What is on its way since before `connectedAt` went to a coordinator that may be gone;
 * what is younger is being kept at by the one that is there.
 */
export async function sendQueued(connectedAt: number): Promise<void> {
  const queued = [...useOutbox.getState().wishes.values()].filter(
    ({ id, state }) => state === "queued" && (flights.get(id)?.began ?? 0) <= connectedAt,
  );
  // One after another: messages keep the order in which they were written.
  // oxlint-disable-next-line no-await-in-loop
  for (const { id } of queued) await attempt(id);
}

export async function sendAgain(id: string): Promise<void> {
  await attempt(id);
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
  land(id);
  useOutbox.setState(({ wishes }) => {
    const next = new Map(wishes);
    next.delete(id);
    return { wishes: next };
  });
}

async function attempt(id: string): Promise<void> {
  const asked = useOutbox.getState().wishes.get(id);
  if (!asked) return;
  land(id);
  const flight: Flight = { began: Date.now(), givenUp: new AbortController() };
  flights.set(id, flight);
  put({ ...asked, state: "sending", error: null });
  // Only the latest attempt has a say.
  const say = (state: Wish["state"], error: unknown): void => {
    if (flights.get(id) === flight) put({ ...asked, state, error });
  };
  const slow = setTimeout(() => say("queued", null), QUICK_MS);
  try {
    say(await asked.send(flight.givenUp.signal), null);
  } catch (error) {
    say(isPassing(error) ? "queued" : "failed", error);
  } finally {
    clearTimeout(slow);
    if (flights.get(id) === flight) flights.delete(id);
  }
}

/** Gives up the attempt that is on its way: another takes its place, or nobody wants it any more. */
function land(id: string): void {
  flights.get(id)?.givenUp.abort();
  flights.delete(id);
}

/** Nobody answered, or somebody who is not ready yet: the same wish may do better later. */
function isPassing(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof Refusal && error.status === 503);
}

function put(next: Wish): void {
  useOutbox.setState(({ wishes }) => ({ wishes: new Map(wishes).set(next.id, next) }));
}
