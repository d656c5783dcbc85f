/** One honest line at the top while what is shown is not live. Nothing when it is. */
import { CloudOff, RefreshCw } from "lucide-react";
import type { ReactNode } from "react";
import { useOutbox } from "../outbox/outbox.ts";
import type { Connection } from "../stream/connect.ts";
import { useNow } from "../ui/clock.ts";
import { count } from "../ui/numbers.ts";
import { clockTime } from "../ui/time.ts";
import { useConnection } from "./services.ts";

/** A link that is back sooner is not worth a line: it would only make the page jump. */
const GRACE_MS = 1500;

export function ConnectionLine(): ReactNode {
  const connection = useConnection();
  const now = useNow();
  const queued = useOutbox(
    ({ wishes }) => [...wishes.values()].filter(({ state }) => state === "queued").length,
  );
  const words = describe(connection, now);
  return (
    // Over the page and not above it: a line that comes and goes must not move what lies under a finger.
    <div
      role="status"
      className="pointer-events-none absolute inset-x-0 top-[env(safe-area-inset-top)] z-30 flex justify-center"
    >
      {words ? (
        <p className="flex min-h-7 w-full items-center justify-center gap-2 border-b border-needs-line bg-needs-soft px-4 py-1 text-small text-needs wide:w-auto wide:rounded-b wide:border-x">
          {connection.link.phase === "offline" ? (
            <CloudOff size={14} aria-hidden className="shrink-0" />
          ) : (
            <RefreshCw size={14} aria-hidden className="shrink-0" />
          )}
          <span>
            {words}
            {queued > 0 ? ` ${count(queued, "action")} queued.` : ""}
          </span>
        </p>
      ) : null}
    </div>
  );
}

function describe({ link, status }: Connection, now: number): string | null {
  const since = clockTime(new Date(link.since).toISOString(), now);
  switch (link.phase) {
    case "connecting":
      return now - link.since > GRACE_MS ? "Connecting to the coordinator." : null;
    case "offline":
      return `Offline since ${since}; sessions go on without you.`;
    case "reconnecting":
      return now - link.since > GRACE_MS ? `Reconnecting; last heard ${since}.` : null;
    case "live":
      if (status && !status.connected)
        return "The coordinator has lost its connection to NATS. Sessions go on.";
      return status && status.behind > 0 ? `Syncing ${count(status.behind, "event")}.` : null;
  }
}
