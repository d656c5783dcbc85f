/** How a host leaves the fleet: revoked, which is asked twice and in place, and then taken out of the list. */
import { useMutation } from "@tanstack/react-query";
import { Ban, ShieldOff } from "lucide-react";
import { type ReactNode, useState } from "react";
import { routes } from "../api/routes.ts";
import type { HostRow } from "../api/wire.ts";
import { forgetHost } from "../fleet/store.ts";
import { Moment } from "../ui/Moment.tsx";
import { Problem } from "../ui/Problem.tsx";

export function Membership({ host }: { host: HostRow }): ReactNode {
  const [asking, setAsking] = useState(false);
  const revoke = useMutation({
    mutationFn: () => routes.revokeHost(host.host),
    onSettled: () => setAsking(false),
  });
  const remove = useMutation({
    mutationFn: () => routes.removeHost(host.host),
    onSuccess: () => forgetHost(host.host),
  });
  const error = revoke.error ?? remove.error;
  return (
    <footer className="mt-4 grid gap-2">
      {host.revoked_at ? (
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
          <p className="flex min-w-0 grow items-start gap-2 text-small text-muted">
            <ShieldOff size={16} aria-hidden className="mt-px shrink-0 text-bad" />
            <span>
              <b className="font-medium text-bad">Revoked</b> by {host.revoked_by_name}{" "}
              <Moment at={host.revoked_at} as="ago" />. It is not let in again; what its sessions said stays.
            </span>
          </p>
          <button
            type="button"
            className="button"
            disabled={remove.isPending}
            onClick={() => remove.mutate()}
          >
            Remove from the list
          </button>
        </div>
      ) : asking ? (
        <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
          <p className="min-w-0 grow text-small text-muted">
            {host.host} is cut off at once and not let in again. Its agents go on there until they need a
            decision.
          </p>
          <div className="flex gap-2">
            <button type="button" className="button" onClick={() => setAsking(false)}>
              Cancel
            </button>
            <button
              type="button"
              className="button text-bad"
              disabled={revoke.isPending}
              onClick={() => revoke.mutate()}
            >
              Revoke {host.host}
            </button>
          </div>
        </div>
      ) : (
        <button type="button" className="button-quiet justify-self-start" onClick={() => setAsking(true)}>
          <Ban size={14} aria-hidden />
          Revoke
        </button>
      )}
      {error ? <Problem error={error} /> : null}
    </footer>
  );
}
