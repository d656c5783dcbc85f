/**
 * One session: its head, the transcript, what waits for a person, and the composer. Owns how these share the room, and
 * the panel with the changes beside them.
 */
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { useSession } from "../app/services.ts";
import { useFleet } from "../fleet/store.ts";
import { useKeys } from "../ui/keys.ts";
import { useMedia } from "../ui/media.ts";
import { Composer } from "./Composer.tsx";
import { Dock } from "./Dock.tsx";
import { ReviewPanel } from "./ReviewPanel.tsx";
import { SessionHead } from "./SessionHead.tsx";
import { Transcript } from "./Transcript.tsx";
import { WorktreeContext } from "./worktree.ts";

export function SessionPage({ id }: { id: string }): ReactNode {
  const view = useSession(id);
  const listed = useFleet(({ sessions }) => sessions.get(id));
  const [review, setReview] = useState(false);
  const broad = useMedia("(width >= 1240px)");
  useKeys({ r: () => setReview(!review), Escape: () => setReview(false) });

  const row = listed ?? view.row;
  if (view.problem && !row) return <Missing problem={view.problem} />;
  return (
    <div className="flex h-full">
      <main className={`h-full min-w-0 grow flex-col ${review && !broad ? "hidden" : "flex"}`}>
        {row ? (
          <SessionHead row={row} log={view.log} review={review} onReview={() => setReview(!review)} />
        ) : null}
        <WorktreeContext value={row?.worktree ?? null}>
          <Transcript id={id} view={view} row={row ?? null} />
        </WorktreeContext>
        <Dock session={id} />
        {row ? <Composer row={row} log={view.log} /> : null}
      </main>
      {review && row ? <ReviewPanel row={row} beside={broad} onClose={() => setReview(false)} /> : null}
    </div>
  );
}

function Missing({ problem }: { problem: string }): ReactNode {
  return (
    <main className="mx-auto max-w-md p-8">
      <h1 className="text-title font-semibold">This session cannot be shown</h1>
      <p className="mt-2 text-muted">{problem}</p>
      <p className="mt-4">
        <Link href="/sessions" className="link">
          All sessions
        </Link>
      </p>
    </main>
  );
}
