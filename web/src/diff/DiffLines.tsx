/** Lines of a diff. Owns how they are drawn and that a long one is shown in part only with a mark that says so. */
import { type ReactNode, useState } from "react";
import { count } from "../ui/numbers.ts";
import type { DiffLine } from "./lines.ts";

/** More are drawn when a person asks for them. */
const LINES_SHOWN = 400;

interface DiffLinesProps {
  lines: readonly DiffLine[];
  label: string;
  className?: string;
}

export function DiffLines({ lines, label, className = "" }: DiffLinesProps): ReactNode {
  const [whole, setWhole] = useState(false);
  const shown = whole ? lines : lines.slice(0, LINES_SHOWN);
  const numbered = lines.some(({ before, after }) => before !== null || after !== null);
  const hidden = lines.length - shown.length;
  return (
    // Scrolls, so the keyboard must reach it.
    <section tabIndex={0} aria-label={label} className={`code-view py-1 ${className}`}>
      <div>
        {shown.map((line, index) => (
          // A patch never changes order: an index is a true key here.
          // oxlint-disable-next-line react/no-array-index-key
          <Line key={index} line={line} numbered={numbered} />
        ))}
      </div>
      {hidden > 0 ? (
        <button
          type="button"
          className="button-quiet sticky left-2 m-1 font-sans"
          onClick={() => setWhole(true)}
        >
          {count(hidden, "more line")} not shown. Show all
        </button>
      ) : null}
    </section>
  );
}

function Line({ line, numbered }: { line: DiffLine; numbered: boolean }): ReactNode {
  const { sign, word, className } = looks[line.kind];
  return (
    <div className={`flex pr-3 ${className}`}>
      {numbered ? (
        <>
          <Number value={line.before} />
          <Number value={line.after} />
        </>
      ) : null}
      <span aria-hidden className="w-6 shrink-0 text-center select-none">
        {sign}
      </span>
      {word ? <span className="sr-only">{word} </span> : null}
      {/* Breaks: what lies beyond an edge would be approved unseen. */}
      <span className="min-w-0 [overflow-wrap:anywhere] whitespace-pre-wrap">{line.text || " "}</span>
    </div>
  );
}

function Number({ value }: { value: number | null }): ReactNode {
  return (
    <span aria-hidden className="w-8 shrink-0 pr-1 wide:w-10 text-right text-muted select-none">
      {value ?? ""}
    </span>
  );
}

const looks: Record<DiffLine["kind"], { sign: string; word: string; className: string }> = {
  added: { sign: "+", word: "added", className: "diff-added" },
  removed: { sign: "−", word: "removed", className: "diff-removed" },
  context: { sign: " ", word: "", className: "" },
  hunk: { sign: " ", word: "", className: "text-muted" },
};
