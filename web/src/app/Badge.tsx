/** How many wait for a person. */
import type { ReactNode } from "react";

export function Badge({ count, className = "" }: { count: number; className?: string }): ReactNode {
  if (count === 0) return null;
  return (
    <span className={`rounded-full bg-needs-soft px-2 text-small font-semibold text-needs ${className}`}>
      <span aria-hidden>{count > 99 ? "99+" : count}</span>
      <span className="sr-only">{count} waiting for you</span>
    </span>
  );
}
