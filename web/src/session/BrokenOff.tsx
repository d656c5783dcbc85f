/**
 * A session whose work broke off, above the composer: why, and one tap to go on. While a usage limit stands: when it is
 * over, and whether the session goes on by itself then.
 */
import { useMutation } from "@tanstack/react-query";
import { Hourglass, Unplug } from "lucide-react";
import type { ReactNode } from "react";
import { routes } from "../api/routes.ts";
import type { SessionRow, UsageLimit } from "../api/wire.ts";
import { say } from "../outbox/actions.ts";
import { Moment } from "../ui/Moment.tsx";
import { visible } from "../ui/visible.ts";

export function BrokenOff({ row }: { row: SessionRow }): ReactNode {
  const { limit } = row;
  if (row.state === "ended" || (!limit && !row.can_continue)) return null;
  return (
    <section aria-label="Broken off" className="shrink-0 border-t border-line px-3 py-2 wide:px-5">
      <div className="mx-auto flex max-w-[760px] flex-wrap items-center gap-x-3 gap-y-1 text-small">
        {limit ? (
          <Limit row={row} limit={limit} />
        ) : (
          <>
            <Unplug size={16} aria-hidden className="shrink-0 text-muted" />
            <p className="min-w-0 grow [overflow-wrap:anywhere] text-muted">
              Broken off: {visible(row.continue_reason ?? "its agent ended")}
            </p>
          </>
        )}
        <button
          type="button"
          className="button-quiet"
          onClick={() => void say(row.id, { text: "continue", attachments: [], delivery: "queue" })}
        >
          Continue
        </button>
      </div>
    </section>
  );
}

function Limit({ row, limit }: { row: SessionRow; limit: UsageLimit }): ReactNode {
  const choose = useMutation({ mutationFn: (enabled: boolean) => routes.resumeAtReset(row.id, enabled) });
  return (
    <>
      <Hourglass size={16} aria-hidden className="shrink-0 text-needs" />
      <p className="min-w-0 grow [overflow-wrap:anywhere]">
        {visible(limit.message)}
        {limit.resets_at ? (
          <>
            {" · "}over at <Moment at={limit.resets_at} as="clock" />
          </>
        ) : null}
      </p>
      {limit.resets_at ? (
        <label className="flex min-h-10 items-center gap-2">
          <input
            type="checkbox"
            checked={limit.resumes}
            disabled={choose.isPending}
            onChange={({ target }) => choose.mutate(target.checked)}
          />
          Go on by itself then
        </label>
      ) : null}
    </>
  );
}
