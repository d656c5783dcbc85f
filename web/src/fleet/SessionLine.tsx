/** One session in a list: two lines, 56 px. */
import { type ReactNode, memo } from "react";
import { Link } from "wouter";
import type { SessionRow } from "../api/wire.ts";
import { Changes } from "../diff/Changes.tsx";
import { useSilence } from "../hosts/silence.ts";
import { Moment } from "../ui/Moment.tsx";
import { StateMark } from "../ui/StateMark.tsx";
import { dollars } from "../ui/numbers.ts";
import { sessionTitle } from "../ui/title.ts";
import type { Mark } from "../ui/words.ts";
import { useStanding } from "./standing.ts";

interface SessionLineProps {
  row: SessionRow;
  /** The one that is open beside the list. */
  current: boolean;
  /** Of the group it stands under. */
  title?: string;
}

export const SessionLine = memo(function SessionLine({ row, current, title }: SessionLineProps): ReactNode {
  const { state, word } = useStanding(row);
  const silence = useSilence(row.host);
  const quiet = state === "ended" || state === "asleep" || state === "lost";
  return (
    <li>
      <Link
        href={`/sessions/${row.id}`}
        aria-current={current ? "page" : undefined}
        className={`grid h-14 grid-cols-[12px_1fr_auto] content-center items-center gap-x-2.5 rounded px-2.5 ${
          current ? "bg-accent-soft" : "hover:bg-hover"
        }`}
      >
        <StateMark state={state} named={false} />
        <span className={`truncate ${quiet ? "text-muted" : "font-medium text-text"}`}>
          {sessionTitle(row.title, row.agent)}
        </span>
        <Moment
          at={row.waiting_since ?? row.updated_at}
          as="age"
          className={`text-small ${state === "waiting" ? "text-needs" : "text-faint"}`}
        />
        <span className="col-span-2 col-start-2 flex gap-x-2 text-small text-muted">
          {silence && state !== "ended" ? (
            <span className="flex min-w-0" title={silence.title}>
              <span className="min-w-0 truncate text-bad">
                {row.host} {silence.since}
              </span>
              <span className={`min-w-0 shrink-[50] ${after}`}>{row.project_name}</span>
            </span>
          ) : (
            <>
              {/* Under its group's title the word would be said twice. */}
              <span className={word === title ? "sr-only" : `shrink-0 ${looks[state] ?? ""}`}>{word} ·</span>
              <Place row={row} />
            </>
          )}
          <span className="ml-auto flex shrink-0 gap-x-2">
            <Changes added={row.added} removed={row.removed} />
            {row.cost_usd > 0 ? <span>{dollars(row.cost_usd)}</span> : null}
          </span>
        </span>
      </Link>
    </li>
  );
});

/** What keeps a session from its work stands out; that it works does not. */
const looks: Partial<Record<Mark, string>> = { limited: "text-needs", broken: "text-needs" };

/** Where it works. What tells least gives way first and alone: by a hair less room each would end in dots. */
function Place({ row }: { row: SessionRow }): ReactNode {
  return (
    <span className="flex min-w-0">
      <span className="min-w-0 truncate">{row.project_name}</span>
      <span className={`min-w-0 shrink-[1000] ${after}`}>{row.host ?? waits(row)}</span>
      {row.branch ? (
        <span className={`min-w-0 shrink-[1000000] ${after}`}>{row.branch.replace(/^flotilla\//, "")}</span>
      ) : null}
    </span>
  );
}

/** What stands where the host will. */
function waits({ queue }: SessionRow): string {
  return queue ? `${queue.position} of ${queue.length} in line` : "no host yet";
}

const after = "truncate before:mx-1 before:content-['·']";
