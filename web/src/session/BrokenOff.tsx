/**
 * Where the work of a session broke off, at the end of its transcript: why, and one tap to go on. While a usage limit
 * stands: until when, and whether the session goes on by itself then.
 */
import { useMutation } from "@tanstack/react-query";
import { Hourglass, Unplug } from "lucide-react";
import { type ReactNode, useState } from "react";
import { routes } from "../api/routes.ts";
import type { UsageLimit } from "../api/wire.ts";
import { say } from "../outbox/actions.ts";
import { useOutbox } from "../outbox/outbox.ts";
import { useNow } from "../ui/clock.ts";
import { isOver, limitSentence } from "../ui/limit.ts";
import { Problem } from "../ui/Problem.tsx";
import { absolute } from "../ui/time.ts";
import { visible } from "../ui/visible.ts";
import { CONTINUE } from "./goOn.ts";
import type { Standstill } from "./rows.ts";

interface BrokenOffProps {
  row: Standstill;
  /** The reason stands just above. */
  told: boolean;
}

export function BrokenOff({ row, told }: BrokenOffProps): ReactNode {
  const { limit } = row;
  const now = useNow();
  const needsPerson = limit === null || (isOver(limit, now) && !limit.resumes);
  return (
    <section aria-label="Broken off" className="mt-2 mb-1 rounded border border-line bg-panel px-3 py-2">
      <div className="flex flex-wrap items-center justify-end gap-x-3 gap-y-2">
        <p className="flex min-w-0 grow basis-56 items-start gap-2 [overflow-wrap:anywhere]">
          {limit ? (
            <LimitWords limit={limit} now={now} />
          ) : (
            <>
              <Unplug size={16} aria-hidden className="mt-0.5 shrink-0 text-needs" />
              {told
                ? "This turn broke off. What stands above is kept, and so are the changes."
                : `Broken off: ${visible(row.continue_reason ?? "its agent ended")}`}
            </>
          )}
        </p>
        {limit?.resets_at ? <Switch session={row.id} limit={limit} /> : null}
        <Continue session={row.id} primary={needsPerson} />
      </div>
    </section>
  );
}

function LimitWords({ limit, now }: { limit: UsageLimit; now: number }): ReactNode {
  return (
    <>
      <Hourglass size={16} aria-hidden className="mt-0.5 shrink-0 text-needs" />
      <span title={limit.resets_at === null ? undefined : absolute(limit.resets_at)}>
        {limitSentence(limit, now)}
      </span>
    </>
  );
}

function Switch({ session, limit }: { session: string; limit: UsageLimit }): ReactNode {
  // What was chosen stands there until the session itself has said so.
  const [asked, setAsked] = useState<boolean | null>(null);
  if (asked === limit.resumes) setAsked(null);
  const choose = useMutation({
    mutationFn: (enabled: boolean) => routes.resumeAtReset(session, enabled),
    onMutate: (enabled) => setAsked(enabled),
    onError: () => setAsked(null),
  });
  return (
    <>
      <label className="flex min-h-9 items-center gap-2 text-muted pointer-coarse:min-h-11">
        <input
          type="checkbox"
          className="size-4 accent-accent-fill"
          checked={asked ?? limit.resumes}
          disabled={asked !== null}
          onChange={({ target }) => choose.mutate(target.checked)}
        />
        Go on by itself
      </label>
      {choose.error ? (
        <div className="w-full">
          <Problem error={choose.error} retry={() => choose.mutate(choose.variables)} />
        </div>
      ) : null}
    </>
  );
}

/** One tap is one message: until the session has heard it, there is no second. */
function Continue({ session, primary }: { session: string; primary: boolean }): ReactNode {
  const said = useOutbox(({ wishes }) =>
    [...wishes.values()].some(
      (wish) => wish.session === session && wish.text === CONTINUE && wish.state !== "failed",
    ),
  );
  return (
    <button
      type="button"
      className={`button ${primary ? "button-primary" : ""}`}
      disabled={said}
      onClick={() => void say(session, { text: CONTINUE, attachments: [], delivery: "queue" })}
    >
      Continue
    </button>
  );
}
