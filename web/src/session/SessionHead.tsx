/** The head of a session: what it is, how it stands, and the few things done to the whole of it. */
import { ArrowLeft, FileDiff, Play, Square } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { useMutation } from "@tanstack/react-query";
import { useWaiting } from "../app/attention.ts";
import { ConnectionLine } from "../app/ConnectionLine.tsx";
import { routes } from "../api/routes.ts";
import type { SessionRow, State } from "../api/wire.ts";
import { Changes } from "../diff/Changes.tsx";
import { useStanding } from "../fleet/standing.ts";
import { StateMark } from "../ui/StateMark.tsx";
import { dollars, tokens } from "../ui/numbers.ts";
import { Problem } from "../ui/Problem.tsx";
import { sessionTitle } from "../ui/title.ts";
import type { SessionLog } from "./reduce.ts";

interface SessionHeadProps {
  row: SessionRow;
  log: SessionLog | null;
  review: boolean;
  onReview: () => void;
}

export function SessionHead({ row, log, review, onReview }: SessionHeadProps): ReactNode {
  const { state, word } = useStanding(row);
  const others = useWaiting();
  const elsewhere = others.count - row.pending_gates;
  return (
    <header className="relative shrink-0 border-b border-line px-3 py-2 wide:px-5">
      <div className="flex items-center gap-2">
        <Link href="/sessions" className="button-quiet -ml-2 px-2! wide:hidden" aria-label="All sessions">
          <ArrowLeft size={18} aria-hidden />
        </Link>
        <StateMark state={state} named={false} />
        <h1
          className="line-clamp-2 min-w-0 grow text-large font-semibold wide:line-clamp-1"
          title={row.title}
        >
          {sessionTitle(row.title, row.agent)}
        </h1>
        <button
          type="button"
          className="button-quiet"
          aria-expanded={review}
          title="Review changes (r)"
          onClick={onReview}
        >
          <FileDiff size={16} aria-hidden />
          {row.added + row.removed > 0 ? <Changes added={row.added} removed={row.removed} /> : "Changes"}
        </button>
        <Life row={row} />
      </div>
      <p className="flex flex-wrap gap-x-2 text-small text-muted">
        <span className={wordLooks[state] ?? ""}>{word}</span>
        <span>{row.project_name}</span>
        {row.branch ? <span className="hidden font-mono wide:inline">{row.branch}</span> : null}
        <span>{row.host}</span>
        <span>
          {row.agent}
          {row.model && row.model !== row.agent ? ` · ${row.model}` : ""}
        </span>
        <Context row={row} log={log} />
        {row.cost_usd > 0 ? <span>{dollars(row.cost_usd)}</span> : null}
        {row.isolated === false ? (
          <span title="The agent runs as the runner's own user.">not isolated</span>
        ) : null}
        {elsewhere > 0 ? (
          <Link href="/approvals" className="ml-auto font-medium text-needs underline wide:hidden">
            {elsewhere} more wait elsewhere
          </Link>
        ) : null}
      </p>
      {row.state_reason && showsReason[row.state] ? (
        <p className="text-small text-muted">{row.state_reason}</p>
      ) : null}
      <ConnectionLine />
    </header>
  );
}

const wordLooks: Partial<Record<State, string>> = {
  waiting: "text-needs font-medium",
  lost: "text-bad font-medium",
};

/** Where the reason says more than the state does. */
const showsReason: Record<State, boolean> = {
  queued: true,
  starting: true,
  idle: false,
  working: false,
  waiting: false,
  asleep: true,
  lost: true,
  ended: true,
};

function Context({ row, log }: { row: SessionRow; log: SessionLog | null }): ReactNode {
  const used = log?.facts.contextTokens ?? row.context_tokens;
  const most = log?.facts.contextTokensMax ?? row.context_tokens_max;
  if (!used || !most) return null;
  const percent = Math.round((100 * used) / most);
  return (
    <span
      title={`${tokens(used)} of ${tokens(most)} tokens of context`}
      className={percent >= 85 ? "text-needs" : ""}
    >
      {percent}% context
    </span>
  );
}

/** Ending a session is asked twice, in place; starting its agent again is not. */
function Life({ row }: { row: SessionRow }): ReactNode {
  const [asking, setAsking] = useState(false);
  const stop = useMutation({ mutationFn: () => routes.stop(row.id), onSettled: () => setAsking(false) });
  const resume = useMutation({ mutationFn: () => routes.resume(row.id) });
  const error = stop.error ?? resume.error;
  if (error) return <Problem error={error} retry={() => (stop.error ? stop.reset() : resume.reset())} />;
  if (row.state === "ended") return null;
  if (row.state === "asleep") {
    return (
      <button
        type="button"
        className="button-quiet"
        disabled={resume.isPending}
        onClick={() => resume.mutate()}
      >
        <Play size={14} aria-hidden />
        Wake
      </button>
    );
  }
  if (!asking) {
    return (
      <button type="button" className="button-quiet" title="End this session" onClick={() => setAsking(true)}>
        <Square size={14} aria-hidden className="hidden wide:block" />
        End
      </button>
    );
  }
  return (
    <span className="flex items-center gap-1">
      <button
        type="button"
        className="button-quiet text-bad!"
        disabled={stop.isPending}
        onClick={() => stop.mutate()}
      >
        End it; the worktree stays
      </button>
      <button type="button" className="button-quiet" onClick={() => setAsking(false)}>
        Keep
      </button>
    </span>
  );
}
