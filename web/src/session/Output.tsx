/** What a tool printed: the last lines, all that is in the log when asked, and what was too long for the log. */
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, use, useState } from "react";
import { knownEvent } from "../api/decode.ts";
import { routes } from "../api/routes.ts";
import { bytes as inBytes, count } from "../ui/numbers.ts";
import { Problem } from "../ui/Problem.tsx";
import { visible } from "../ui/visible.ts";
import { SessionContext } from "./context.ts";
import type { ToolResult } from "./items.ts";

const LINES_SHOWN = 12;

export function Output({ result }: { result: ToolResult }): ReactNode {
  const [open, setOpen] = useState(false);
  const whole = useWhole(result);
  const text = whole.text ?? result.output;
  const clean = visible(withoutColours(text)).trimEnd();
  if (clean === "") return <p className="text-small text-faint">No output</p>;
  const lines = clean.split("\n");
  const hidden = open ? 0 : Math.max(0, lines.length - LINES_SHOWN);
  const isCut = result.outputBytes > new TextEncoder().encode(text).length;
  return (
    <div>
      {hidden > 0 ? (
        <button type="button" className="button-quiet -ml-2" onClick={() => setOpen(true)}>
          {count(hidden, "earlier line")}. Show all
        </button>
      ) : null}
      {/* Scrolls, so the keyboard must reach it. */}
      <pre tabIndex={0} aria-label="Output" className="code-view max-h-[60dvh] px-3 py-2">
        {lines.slice(hidden).join("\n")}
      </pre>
      {isCut ? (
        <p className="mt-1 text-small text-faint">
          The whole output is {inBytes(result.outputBytes)}; this is a part of it.{" "}
          {whole.ask ? (
            <button type="button" className="link" onClick={whole.ask}>
              Fetch the whole
            </button>
          ) : null}
        </p>
      ) : null}
      {whole.error ? <Problem error={whole.error} retry={whole.ask ?? undefined} /> : null}
    </div>
  );
}

interface Whole {
  readonly text: string | null;
  readonly error: Error | null;
  /** Null where there is no more to be had. */
  readonly ask: (() => void) | null;
}

/** Asked for by a person: it may be large, and mostly nobody wants it. */
function useWhole({ wholeAt }: ToolResult): Whole {
  const { id } = use(SessionContext);
  const asked = useQuery({
    queryKey: ["output", id, wholeAt],
    queryFn: async () => {
      const event = knownEvent(await routes.event(id, wholeAt ?? 0));
      return event?.type === "tool.finished" ? event.data.output : null;
    },
    enabled: false,
    staleTime: Infinity,
  });
  return {
    text: asked.data ?? null,
    error: asked.error,
    ask: wholeAt === null || asked.isFetching ? null : () => void asked.refetch(),
  };
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
