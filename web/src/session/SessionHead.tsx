/**
 * The head of a session: what it is, how it stands, and the few things done to the whole of it. One line for the title
 * and one for the rest; where there is little room the buttons stand in the second, so that the title can be read.
 */
import { ArrowLeft, ChevronRight, FileDiff } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useWaiting } from "../app/attention.ts";
import { ConnectionLine } from "../app/ConnectionLine.tsx";
import type { QueuePlace, SessionRow, State } from "../api/wire.ts";
import { Changes } from "../diff/Changes.tsx";
import { useStanding } from "../fleet/standing.ts";
import { SilentHost } from "../hosts/SilentHost.tsx";
import { useSilence } from "../hosts/silence.ts";
import { useWide } from "../ui/media.ts";
import { StateMark } from "../ui/StateMark.tsx";
import { sessionTitle } from "../ui/title.ts";
import { Life } from "./Life.tsx";
import type { SessionLog } from "./reduce.ts";
import { SessionMeta } from "./SessionMeta.tsx";

interface SessionHeadProps {
  row: SessionRow;
  log: SessionLog | null;
  review: boolean;
  onReview: () => void;
}

export function SessionHead({ row, log, review, onReview }: SessionHeadProps): ReactNode {
  const wide = useWide();
  const { state } = useStanding(row);
  const silence = useSilence(row.host);
  // Why it stands still is told where it broke off.
  const standsBelow = state === "broken" || state === "limited";
  const mark = <StateMark state={state} named={false} />;
  const actions = (
    <>
      <ReviewButton row={row} review={review} onReview={onReview} />
      <Life row={row} />
    </>
  );
  return (
    <header className="relative min-h-[63px] shrink-0 border-b border-line px-2 py-1 wide:px-5 wide:py-2">
      <div className="flex items-center gap-1 wide:gap-2">
        {wide ? mark : <Back />}
        <h1 className="min-w-0 grow truncate text-large font-semibold" title={row.title}>
          {sessionTitle(row.title, row.agent)}
        </h1>
        {wide ? actions : <Elsewhere row={row} />}
      </div>
      <div className="flex items-center gap-2 pl-2 wide:pl-0">
        {wide ? null : mark}
        <SessionMeta row={row} log={log} />
        {wide ? null : <div className="flex shrink-0">{actions}</div>}
      </div>
      {row.state === "ended" ? null : (
        <SilentHost
          host={row.host}
          then={silentWords[row.state]}
          marked={false}
          className="px-2 pb-1 wide:px-0 wide:pb-0"
        />
      )}
      {row.state_reason && !standsBelow && showsReason[row.state] && (!silence || row.state === "ended") ? (
        <p className="px-2 pb-1 text-small text-muted first-letter:uppercase wide:px-0 wide:pb-0">
          {row.queue ? `${place(row.queue)} ` : ""}
          {row.state_reason}
        </p>
      ) : null}
      <ConnectionLine />
    </header>
  );
}

/** Where it stands in line, in a sentence. */
function place({ position, length }: QueuePlace): string {
  return position === 1 ? "Next in line." : `Number ${position} of ${length} in line.`;
}

/** Where the reason says more than the state does. */
const showsReason: Record<State, boolean> = {
  queued: true,
  starting: true,
  idle: true,
  working: true,
  waiting: true,
  asleep: true,
  lost: true,
  ended: true,
};

/** What becomes of the session meanwhile, and of what is done in it: nothing else on the page says it again. */
const silentWords: Record<State, string> = {
  queued: "The session begins once it is back. What you send is kept.",
  starting: "The session goes on once it is back. What you send is kept.",
  idle: "The session goes on once it is back. What you send is kept.",
  working: "The session goes on once it is back. What you send is kept.",
  waiting: "The session goes on once it is back. What you send or decide is kept.",
  asleep: "The session wakes once it is back. What you send is kept.",
  lost: "The session goes on once it is back. What you send or decide is kept.",
  ended: "",
};

function Back(): ReactNode {
  return (
    <Link href="/sessions" className="button-quiet px-2!" aria-label="All sessions">
      <ArrowLeft size={18} aria-hidden />
    </Link>
  );
}

/** On a phone the inbox is not in sight beside a session. */
function Elsewhere({ row }: { row: SessionRow }): ReactNode {
  const waiting = useWaiting();
  const count = waiting.count - row.pending_gates;
  if (count <= 0) return null;
  return (
    <Link
      href="/approvals"
      aria-label={`${count} more wait elsewhere`}
      className="flex min-h-10 shrink-0 items-center gap-0.5 pr-1 pl-2 text-small font-medium text-needs"
    >
      {count} more
      <ChevronRight size={14} aria-hidden />
    </Link>
  );
}

function ReviewButton({
  row,
  review,
  onReview,
}: Pick<SessionHeadProps, "row" | "review" | "onReview">): ReactNode {
  return (
    <button
      type="button"
      className="button-quiet"
      aria-expanded={review}
      title="Review changes (r)"
      onClick={onReview}
    >
      <FileDiff size={16} aria-hidden className="hidden wide:block" />
      {row.added + row.removed > 0 ? <Changes added={row.added} removed={row.removed} /> : "Changes"}
    </button>
  );
}
