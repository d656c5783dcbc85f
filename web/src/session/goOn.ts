/** What an agent is told that is to go on, by a person's tap and by the session itself; people write the same. */
import type { UserItem } from "./items.ts";

export const CONTINUE = "continue";

/** Said in nobody's name: the session went on by itself. */
export function isByItself({ by, text }: Pick<UserItem, "by" | "text">): boolean {
  return by === null && text === CONTINUE;
}
