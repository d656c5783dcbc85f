/** The line under a session's title: how it stands first, then where and with what it works, cut where room ends. */
import type { ReactNode } from "react";
import type { SessionRow } from "../api/wire.ts";
import { useStanding } from "../fleet/standing.ts";
import { dollars, tokens } from "../ui/numbers.ts";
import type { Mark } from "../ui/words.ts";
import type { SessionLog } from "./reduce.ts";

export function SessionMeta({ row, log }: { row: SessionRow; log: SessionLog | null }): ReactNode {
  const { state, word } = useStanding(row);
  const agent = row.model && row.model !== row.agent ? `${row.agent}, ${row.model}` : row.agent;
  return (
    <p className="min-w-0 grow truncate text-small text-muted">
      <span className={looks[state] ?? ""}>{word}</span>
      {` · ${row.project_name}`}
      {row.branch ? (
        <span className="hidden wide:inline">
          {" · "}
          <span className="font-mono">{row.branch}</span>
        </span>
      ) : null}
      {" · "}
      <Whereabouts row={row} />
      {` · ${agent}`}
      <Context row={row} log={log} />
      {row.cost_usd > 0 ? ` · ${dollars(row.cost_usd)}` : ""}
      {row.isolated === false ? (
        <span title="The agent runs as the runner’s own user."> · not isolated</span>
      ) : null}
    </p>
  );
}

/** Which host it is on, and why there. */
function Whereabouts({ row }: { row: SessionRow }): ReactNode {
  if (row.imported) return `imported from ${row.imported.host}`;
  if (row.host === null) return "no host yet";
  return <span title={row.placed_because ? `Why there: ${row.placed_because}` : ""}>{row.host}</span>;
}

const looks: Partial<Record<Mark, string>> = {
  waiting: "text-needs font-medium",
  limited: "text-needs font-medium",
  broken: "text-needs font-medium",
  lost: "text-bad font-medium",
};

function Context({ row, log }: { row: SessionRow; log: SessionLog | null }): ReactNode {
  const used = log?.facts.contextTokens ?? row.context_tokens;
  const most = log?.facts.contextTokensMax ?? row.context_tokens_max;
  if (!used || !most) return null;
  const percent = Math.round((100 * used) / most);
  return (
    <>
      {" · "}
      <span
        title={`${tokens(used)} of ${tokens(most)} tokens of context`}
        className={percent >= 85 ? "text-needs" : ""}
      >
        {percent}% context
      </span>
    </>
  );
}
