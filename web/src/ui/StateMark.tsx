/** The sign of a session's state: a shape and a colour of its own each, and its word for those who do not see it. */
import type { ReactNode } from "react";
import { type Mark, stateWords } from "./words.ts";

interface StateMarkProps {
  state: Mark;
  /** False where the word stands beside the mark. */
  named?: boolean;
}

export function StateMark({ state, named = true }: StateMarkProps): ReactNode {
  const { shape, className } = marks[state];
  return (
    <svg
      viewBox="0 0 12 12"
      width="12"
      height="12"
      className={`shrink-0 ${className}`}
      {...(named ? { role: "img", "aria-label": stateWords[state] } : { "aria-hidden": true })}
    >
      {shape}
    </svg>
  );
}

const ring = { fill: "none", stroke: "currentColor", strokeWidth: 2 };

const marks: Record<Mark, { shape: ReactNode; className: string }> = {
  waiting: {
    shape: <path d="M6 0 12 6 6 12 0 6z" fill="currentColor" />,
    className: "text-needs-mark mark-needs-you",
  },
  working: {
    shape: <circle cx="6" cy="6" r="4.5" {...ring} strokeDasharray="19 9.3" strokeLinecap="round" />,
    className: "text-work-mark mark-working",
  },
  starting: {
    shape: <circle cx="6" cy="6" r="4.5" {...ring} strokeDasharray="4 3.07" />,
    className: "text-work-mark mark-working",
  },
  queued: {
    shape: <path d="M1 6h2M5 6h2M9 6h2" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />,
    className: "text-faint",
  },
  idle: { shape: <circle cx="6" cy="6" r="4.5" fill="currentColor" />, className: "text-good-mark" },
  asleep: {
    shape: <path d="M9.8 7.6A4.8 4.8 0 1 1 4.9 1.2a4 4 0 0 0 4.9 6.4z" fill="currentColor" />,
    className: "text-faint",
  },
  lost: {
    shape: (
      <>
        <circle cx="6" cy="6" r="4.5" {...ring} />
        <path d="M3 9 9 3" {...ring} />
      </>
    ),
    className: "text-bad-mark",
  },
  limited: {
    shape: <path d="M1.5 1h9L6 6l4.5 5h-9L6 6z" fill="currentColor" />,
    className: "text-needs-mark",
  },
  broken: {
    shape: <path d="M6 1.5 11 10.5H1z" {...ring} strokeLinejoin="round" />,
    className: "text-needs-mark",
  },
  ended: { shape: <rect x="2" y="2" width="8" height="8" rx="1" {...ring} />, className: "text-faint" },
};
