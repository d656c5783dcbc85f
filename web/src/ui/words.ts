/** The words for every state a person meets: here, so that the same thing has the same word on every page. */
import type { HostState, SessionRow, State, ToolOutcome } from "../api/wire.ts";

export const stateWords: Record<State, string> = {
  queued: "Queued",
  starting: "Starting",
  idle: "Idle",
  working: "Working",
  waiting: "Needs you",
  asleep: "Asleep",
  lost: "Host silent",
  ended: "Ended",
};

/** What a session needs or does: a gate that waits counts for more than the state around it. */
export function standing(row: Pick<SessionRow, "state" | "pending_gates">): State {
  return row.pending_gates > 0 && row.state !== "ended" && row.state !== "lost" ? "waiting" : row.state;
}

export const hostWords: Record<HostState, string> = {
  online: "Online",
  silent: "Silent",
  unknown: "Not known yet",
};

export const outcomeWords: Record<ToolOutcome, string> = {
  succeeded: "done",
  failed: "failed",
  denied: "denied",
  interrupted: "interrupted",
  unknown: "may have run",
  other: "ended",
};
