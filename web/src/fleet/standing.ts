/** How a session stands for the person who looks: what they decided and could not send yet no longer waits for them. */
import type { SessionRow, State } from "../api/wire.ts";
import { queuedDecisions, useOutbox } from "../outbox/outbox.ts";
import { standing, stateWords } from "../ui/words.ts";

export interface Standing {
  readonly state: State;
  readonly word: string;
}

export function useStanding(row: Pick<SessionRow, "id" | "state" | "pending_gates">): Standing {
  const queued = useOutbox(({ wishes }) => queuedDecisions(wishes, row.id));
  if (queued > 0 && queued >= row.pending_gates) return { state: "queued", word: "Decision queued" };
  const state = standing(row);
  return { state, word: stateWords[state] };
}
