/**
 * One session: its head, the transcript, what waits for a person, and the composer. Owns how these share the room, and
 * the panel with the changes beside them.
 */
import { type ReactNode, useMemo, useState } from "react";
import { Link } from "wouter";
import { useMe } from "../account/me.ts";
import type { SessionRow } from "../api/wire.ts";
import { useSession } from "../app/services.ts";
import { useFleet } from "../fleet/store.ts";
import { Hint } from "../ui/Hint.tsx";
import { useKeys } from "../ui/keys.ts";
import { useMedia } from "../ui/media.ts";
import { Composer } from "./Composer.tsx";
import { SessionContext, type SessionContents } from "./context.ts";
import { Dock } from "./Dock.tsx";
import type { SessionLog } from "./reduce.ts";
import { ReviewPanel } from "./ReviewPanel.tsx";
import { SessionHead } from "./SessionHead.tsx";
import { Transcript } from "./Transcript.tsx";

export function SessionPage({ id }: { id: string }): ReactNode {
  const view = useSession(id);
  const listed = useFleet(({ sessions }) => sessions.get(id));
  const [review, setReview] = useState(false);
  const broad = useMedia("(width >= 1240px)");
  useKeys({ r: () => setReview(!review), Escape: () => setReview(false) });

  const row = listed ?? view.row ?? null;
  const contents = useContents(id, row, view.log);
  if (view.problem && !row) return <Missing problem={view.problem} />;
  return (
    <div className="flex h-full">
      <main className={`h-full min-w-0 grow flex-col ${review && !broad ? "hidden" : "flex"}`}>
        {row ? (
          <SessionHead row={row} log={view.log} review={review} onReview={() => setReview(!review)} />
        ) : null}
        <SessionContext value={contents}>
          <Transcript id={id} view={view} row={row} />
        </SessionContext>
        <Dock session={id} />
        {row ? <Composer row={row} log={view.log} /> : null}
      </main>
      {review && row ? <ReviewPanel row={row} beside={broad} onClose={() => setReview(false)} /> : null}
    </div>
  );
}

/** The same object as long as nothing of it changes: the rows that ask for it need not be drawn again. */
function useContents(id: string, row: SessionRow | null, log: SessionLog | null): SessionContents {
  const me = useMe();
  const starter = row?.created_by ?? me.id;
  const starterName = row?.created_by_name ?? me.name;
  const worktree = row?.worktree ?? null;
  const decided = log?.facts.people;
  return useMemo(
    () => ({ id, worktree, people: { ...decided, [starter]: starterName, [me.id]: me.name } }),
    [id, worktree, decided, starter, starterName, me.id, me.name],
  );
}

function Missing({ problem }: { problem: string }): ReactNode {
  return (
    <main className="mx-auto max-w-md p-8">
      <h1 className="text-title font-semibold">This session cannot be shown</h1>
      <p className="mt-2 text-muted [overflow-wrap:anywhere]">
        <Hint text={problem} />
      </p>
      <p className="mt-4">
        <Link href="/sessions" className="link">
          All sessions
        </Link>
      </p>
    </main>
  );
}
