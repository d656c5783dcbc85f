/** The words for every state a person meets: here, so that the same thing has the same word on every page. */
import type { HostState, SessionRow, State, ToolOutcome } from "../api/wire.ts";

/** What a person is shown: a session's state, or what keeps it from its work. */
export type Mark = State | "limited" | "broken";

export const stateWords: Record<Mark, string> = {
  queued: "Queued",
  starting: "Starting",
  idle: "Idle",
  working: "Working",
  waiting: "Needs you",
  asleep: "Asleep",
  lost: "Host silent",
  ended: "Ended",
  limited: "Usage limit",
  broken: "Broken off",
};

/** What of a session `standing` looks at. */
export type Stands = Pick<SessionRow, "state" | "pending_gates" | "can_continue" | "limit">;

/** What a session needs or does: a gate that waits counts for more than the state around it. */
export function standing(row: Stands): Mark {
  if (row.pending_gates > 0 && row.state !== "ended" && row.state !== "lost") return "waiting";
  if (row.state !== "idle" && row.state !== "asleep") return row.state;
  if (row.limit) return "limited";
  return row.can_continue ? "broken" : row.state;
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
