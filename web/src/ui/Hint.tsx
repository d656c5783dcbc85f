/** A sentence on what to do. What it sets in backticks is to be typed, and looks like it. */
import type { ReactNode } from "react";

export function Hint({ text }: { text: string }): ReactNode {
  return text.split("`").map((part, index) =>
    index % 2 === 1 ? (
      // The parts of one sentence never change order: an index is a true key here.
      // oxlint-disable-next-line react/no-array-index-key
      <code key={index} className="rounded bg-tint px-1 font-mono text-text">
        {part}
      </code>
    ) : (
      part
    ),
  );
}

/** What there is to type: the first command of the sentence, else all of it. */
export function commandIn(text: string): string {
  return /`([^`]+)`/.exec(text)?.[1] ?? text;
}
