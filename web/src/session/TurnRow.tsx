/** The rule between turns: when it ended, how long it took, what it cost, and how it went if not well. */
import type { ReactNode } from "react";
import type { TurnOutcome } from "../api/wire.ts";
import { Moment } from "../ui/Moment.tsx";
import { dollars, tokens } from "../ui/numbers.ts";
import { duration } from "../ui/time.ts";
import type { TurnItem } from "./items.ts";

const words: Record<TurnOutcome, string> = {
  completed: "",
  interrupted: "interrupted",
  failed: "failed",
  cut: "the answer may be cut short",
  other: "ended",
};

export function TurnRow({ item }: { item: TurnItem }): ReactNode {
  const { input, output, cache_read, cache_write } = item.tokens;
  // Of a turn whose agent is gone nobody knows how long it took.
  const lasted = item.durationMs > 0 ? duration(item.durationMs) : "";
  const parts = [words[item.outcome], lasted, dollars(item.costUsd)].filter(Boolean);
  return (
    <div className="py-3">
      <p
        className="flex items-center gap-3 text-small text-faint"
        title={`${tokens(input + cache_read + cache_write)} tokens in, ${tokens(output)} out`}
      >
        <span aria-hidden className="h-px grow bg-line" />
        <span className={item.outcome === "failed" ? "text-bad" : ""}>
          {parts.map((part) => `${part} · `)}
          <Moment at={item.at} as="clock" />
        </span>
      </p>
      {item.error ? <p className="mt-1 text-small text-bad [overflow-wrap:anywhere]">{item.error}</p> : null}
    </div>
  );
}
