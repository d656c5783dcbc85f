/** The way to the gate that has waited longest, in one line. Keeps its place when there is none. */
import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { Moment } from "../ui/Moment.tsx";
import { StateMark } from "../ui/StateMark.tsx";
import { visible } from "../ui/visible.ts";
import { useWaiting } from "./attention.ts";

export function OldestWaiting({ className = "" }: { className?: string }): ReactNode {
  const { oldest } = useWaiting();
  if (!oldest)
    return (
      <p className={`flex min-h-9 items-center px-2.5 text-small text-faint ${className}`}>
        Nothing waits for you
      </p>
    );
  const summary = visible(oldest.summary).replaceAll("`", "");
  return (
    <Link
      href={`/sessions/${oldest.session}`}
      title={summary}
      className={`flex min-h-9 items-center gap-2.5 rounded bg-needs-soft px-2.5 text-small text-needs hover:underline ${className}`}
    >
      <StateMark state="waiting" named={false} />
      <span className="min-w-0 grow truncate">
        Oldest since <Moment at={oldest.opened_at} as="clock" />: {summary}
      </span>
      <ChevronRight size={14} aria-hidden className="shrink-0" />
    </Link>
  );
}
