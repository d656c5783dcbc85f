/** How a session stands for the person who looks: what they decided and could not send yet no longer waits for them. */
import type { SessionRow } from "../api/wire.ts";
import { queuedDecisions, useOutbox } from "../outbox/outbox.ts";
import { useNow } from "../ui/clock.ts";
import { limitWord } from "../ui/limit.ts";
import { type Mark, standing, type Stands, stateWords } from "../ui/words.ts";

export interface Standing {
  readonly state: Mark;
  readonly word: string;
}

export function useStanding(row: Stands & Pick<SessionRow, "id">): Standing {
  const now = useNow();
  const queued = useOutbox(({ wishes }) => queuedDecisions(wishes, row.id));
  if (queued > 0 && queued >= row.pending_gates) return { state: "queued", word: "Decision queued" };
  const state = standing(row);
  const word = state === "limited" && row.limit ? limitWord(row.limit, now) : stateWords[state];
  return { state, word };
}
