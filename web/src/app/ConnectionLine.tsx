/**
 * One honest line while what is shown is not live. Nothing when it is. It hangs under the head of the page that shows
 * it: over what scrolls, so that it neither covers the head nor moves what lies under a finger.
 */
import { CloudOff, RefreshCw } from "lucide-react";
import type { ReactNode } from "react";
import { useOutbox } from "../outbox/outbox.ts";
import type { Connection } from "../stream/connect.ts";
import { useNow } from "../ui/clock.ts";
import { count } from "../ui/numbers.ts";
import { absolute, ago, clockTime } from "../ui/time.ts";
import { useConnection } from "./services.ts";

/** A link that is back sooner is not worth a line: it would only make the page jump. */
const GRACE_MS = 1500;

export function ConnectionLine(): ReactNode {
  const connection = useConnection();
  const now = useNow();
  const queued = useOutbox(
    ({ wishes }) => [...wishes.values()].filter(({ state }) => state === "queued").length,
  );
  const words = describe(connection, now, queued);
  return (
    <div role="status" className="pointer-events-none absolute inset-x-0 top-full z-30 flex justify-center">
      {words ? (
        <p
          title={`Since ${absolute(new Date(connection.link.since).toISOString())}`}
          className="pointer-events-auto flex min-h-7 w-full items-center justify-center gap-1.5 border-b border-needs-line bg-needs-soft px-2 py-1 text-small text-needs wide:w-auto wide:rounded-b wide:border-x wide:px-4"
        >
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

function describe({ link, status }: Connection, now: number, queued: number): string | null {
  const since = new Date(link.since).toISOString();
  switch (link.phase) {
    case "connecting":
      return now - link.since > GRACE_MS ? "Connecting to the coordinator." : null;
    case "offline":
      return `Offline since ${clockTime(since, now)}${queued > 0 ? "" : "; sessions go on without you"}.`;
    case "reconnecting":
      return now - link.since > GRACE_MS ? `Reconnecting; last heard ${ago(since, now)}.` : null;
    case "live":
      if (status && !status.connected)
        return "The coordinator has lost its connection to NATS. Sessions go on.";
      return status && status.behind > 0 ? `Syncing ${count(status.behind, "event")}.` : null;
  }
}
