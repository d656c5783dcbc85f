/** What a tool printed: the last lines, and all of it when asked. */
import { type ReactNode, useState } from "react";
import { bytes as inBytes, count } from "../ui/numbers.ts";
import { visible } from "../ui/visible.ts";

const LINES_SHOWN = 12;

export function Output({ text, bytes }: { text: string; bytes: number }): ReactNode {
  const [whole, setWhole] = useState(false);
  const clean = visible(withoutColours(text)).trimEnd();
  if (clean === "") return <p className="text-small text-faint">No output</p>;
  const lines = clean.split("\n");
  const hidden = whole ? 0 : Math.max(0, lines.length - LINES_SHOWN);
  const cut = bytes > new TextEncoder().encode(text).length;
  return (
    <div>
      {hidden > 0 ? (
        <button type="button" className="button-quiet" onClick={() => setWhole(true)}>
          {count(hidden, "earlier line")}. Show all
        </button>
      ) : null}
      {/* Scrolls, so the keyboard must reach it. */}
      <pre tabIndex={0} aria-label="Output" className="code-view max-h-[60dvh] px-3 py-2">
        {lines.slice(hidden).join("\n")}
      </pre>
      {cut ? (
        <p className="mt-1 text-small text-faint">
          The whole output is {inBytes(bytes)}; this is the part in the log.
        </p>
      ) : null}
    </div>
  );
}

/** Colours and cursor moves of a terminal, which mean nothing on a page. A line that was written over shows its last. */
function withoutColours(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const plain = text.replaceAll(
    // oxlint-disable-next-line no-control-regex
    /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)?|[@-Z\\-_])/g,
    "",
  );
  return plain
    .replaceAll("\r\n", "\n")
    .replaceAll(/[^\n]*\r(?=[^\n])/g, "")
    .replaceAll("\r", "");
}
