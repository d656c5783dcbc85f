/** Ending a session, which is asked twice and in place; and waking its agent, which is not. */
import { useMutation } from "@tanstack/react-query";
import { Play, Square } from "lucide-react";
import { type ReactNode, useState } from "react";
import { routes } from "../api/routes.ts";
import type { SessionRow } from "../api/wire.ts";
import { Problem } from "../ui/Problem.tsx";

export function Life({ row }: { row: SessionRow }): ReactNode {
  const [asking, setAsking] = useState(false);
  const stop = useMutation({ mutationFn: () => routes.stop(row.id), onSettled: () => setAsking(false) });
  const resume = useMutation({ mutationFn: () => routes.resume(row.id) });
  const error = stop.error ?? resume.error;
  if (error) return <Problem error={error} retry={() => (stop.error ? stop.reset() : resume.reset())} />;
  if (row.state === "ended") return null;
  // Where its work broke off, "Continue" wakes it and is what a person wants.
  if (row.state === "asleep" && !row.can_continue) {
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
    <>
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
    </>
  );
}
