/** How far something has come: dots that fill from the left, with their moments on hover and in words for those who listen. */
import type { ReactNode } from "react";
import { absolute } from "./time.ts";

export interface Step {
  readonly word: string;
  /** Null = not yet. `unknown` = it is past, and nobody here knows since when. */
  readonly at: string | "unknown" | null;
}

interface StepsProps {
  steps: readonly Step[];
  /** Where there is no room for the words beside the dots: they are on hover, and said to those who listen. */
  dotsOnly?: boolean;
}

export function Steps({ steps, dotsOnly = false }: StepsProps): ReactNode {
  return (
    <ol
      className={`inline-flex flex-wrap items-center text-small text-muted ${dotsOnly ? "gap-x-0.5" : "gap-x-4 gap-y-1"}`}
      title={dotsOnly ? steps.map((step) => `${step.word}: ${moment(step)}`).join("\n") : undefined}
    >
      {steps.map((step) => (
        <li
          key={step.word}
          className="flex items-center gap-1.5"
          title={dotsOnly ? undefined : moment(step)}
          data-step={step.at === null ? "open" : "done"}
        >
          <span
            aria-hidden
            className={`rounded-full border ${dotsOnly ? "size-1.5" : "size-2"} ${step.at === null ? "border-line-strong" : "border-good-mark bg-good-mark"}`}
          />
          <span className={dotsOnly ? "sr-only" : ""}>{step.word}</span>
          <span className="sr-only">{moment(step)}</span>
        </li>
      ))}
    </ol>
  );
}

function moment({ at }: Step): string {
  if (at === null) return "not yet";
  return at === "unknown" ? "done" : absolute(at);
}
