/** Whether a host takes new sessions, and the button that changes it. What it has is left alone either way. */
import { useMutation } from "@tanstack/react-query";
import { CirclePause, CirclePlay } from "lucide-react";
import type { ReactNode } from "react";
import { routes } from "../api/routes.ts";
import type { HostRow } from "../api/wire.ts";
import { Moment } from "../ui/Moment.tsx";
import { Problem } from "../ui/Problem.tsx";

export function Drain({ host }: { host: HostRow }): ReactNode {
  const drain = useMutation({ mutationFn: () => routes.drain(host.host) });
  const resume = useMutation({ mutationFn: () => routes.endDrain(host.host) });
  const change = host.draining ? resume : drain;
  const Icon = host.draining ? CirclePlay : CirclePause;
  return (
    <div className="mt-3 flex flex-wrap items-center justify-between gap-x-4 gap-y-2 text-small wide:flex-nowrap">
      <p className="min-w-0 text-muted">
        {host.draining ? (
          <>
            <b className="font-medium text-needs">Draining</b> since{" "}
            <Moment at={host.draining.since} as="clock" />, by {host.draining.by_name}: no new session starts
            here. Its sessions stay and go on; none is moved.
          </>
        ) : (
          "Takes new sessions."
        )}
      </p>
      <button
        type="button"
        className="button-quiet shrink-0"
        aria-label={host.draining ? `Give ${host.host} new sessions again` : `Drain ${host.host}`}
        disabled={change.isPending}
        onClick={() => change.mutate()}
      >
        <Icon size={14} aria-hidden />
        {host.draining ? "Take new sessions" : "Drain"}
      </button>
      {change.error ? <Problem error={change.error} retry={() => change.mutate()} /> : null}
    </div>
  );
}
