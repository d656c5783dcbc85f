/** How many lines came and went: `+12 −3`. */
import type { ReactNode } from "react";
import { count } from "../ui/numbers.ts";

export function Changes({ added, removed }: { added: number; removed: number }): ReactNode {
  if (added === 0 && removed === 0) return null;
  return (
    <span className="whitespace-nowrap">
      <span className="sr-only">
        {count(added, "line")} added, {removed} removed
      </span>
      <span aria-hidden>
        {added > 0 ? <span className="text-good">+{added}</span> : null}
        {added > 0 && removed > 0 ? " " : null}
        {removed > 0 ? <span className="text-bad">−{removed}</span> : null}
      </span>
    </span>
  );
}
