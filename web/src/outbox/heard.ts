/** What the fleet has is no longer a wish: its log, or its list of what is on the way, tells of it from then on. */
import { forget, useOutbox } from "./outbox.ts";

/** The session has this message. */
export function heard(message: string): void {
  if (useOutbox.getState().wishes.has(message)) forget(message);
}

/**
 * A part of the log was passed over. A message that was accepted and is not on the way any more lies in that part, or
 * it is told of in a moment.
 */
export function passedOver(session: string, onTheWay: readonly string[]): void {
  for (const wish of useOutbox.getState().wishes.values()) {
    const isMessage = wish.session === session && wish.id.startsWith("cmd_");
    if (isMessage && wish.state === "accepted" && !onTheWay.includes(wish.id)) forget(wish.id);
  }
}
