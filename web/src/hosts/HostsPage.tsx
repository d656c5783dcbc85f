/** The machines of the fleet: whether they are heard, what they can run, and how much room they have. */
import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Account } from "../app/Account.tsx";
import { Page } from "../app/Page.tsx";
import { routes } from "../api/routes.ts";
import type { HostRow } from "../api/wire.ts";
import { useFleet } from "../fleet/store.ts";
import { count } from "../ui/numbers.ts";
import { useWide } from "../ui/media.ts";
import { Problem } from "../ui/Problem.tsx";
import { AddHost } from "./AddHost.tsx";
import { HostCard } from "./HostCard.tsx";

export function HostsPage(): ReactNode {
  const wide = useWide();
  const [adding, setAdding] = useState(false);
  const told = useFleet(({ hosts }) => hosts);
  // Until the socket has told, and when it cannot.
  const asked = useQuery({ queryKey: ["hosts"], queryFn: routes.hosts, enabled: told.size === 0 });
  const hosts = told.size > 0 ? [...told.values()] : (asked.data?.items ?? []);
  const sorted = hosts.toSorted((one, other) => one.host.localeCompare(other.host));
  return (
    <Page
      title="Hosts"
      subtitle={subtitle(sorted)}
      actions={
        adding ? null : (
          <button type="button" className="button" onClick={() => setAdding(true)}>
            <Plus size={16} aria-hidden />
            Add a host
          </button>
        )
      }
    >
      {adding ? <AddHost hosts={sorted} done={() => setAdding(false)} /> : null}
      {asked.error && told.size === 0 ? (
        <Problem error={asked.error} retry={() => void asked.refetch()} />
      ) : null}
      {sorted.length === 0 && !asked.isPending ? (
        <p className="text-muted">
          No runner has reported yet. “flotilla up” starts one on this machine; it shows up here by itself.
        </p>
      ) : null}
      <div className="divide-y divide-line">
        {sorted.map((host) => (
          <HostCard key={host.host} host={host} />
        ))}
      </div>
      {sorted.length === 1 ? (
        <p className="mt-2 text-small text-muted">
          “Add a host” gives the one command that makes another machine part of this fleet.
        </p>
      ) : null}
      {wide ? null : (
        <footer className="mt-8 flex items-center border-t border-line pt-3">
          <Account />
        </footer>
      )}
    </Page>
  );
}

function subtitle(hosts: readonly HostRow[]): string {
  const online = hosts.filter(({ state }) => state === "online").length;
  const silent = hosts.filter(({ state }) => state === "silent").length;
  const draining = hosts.filter((host) => host.draining !== null).length;
  const sessions = hosts.reduce((sum, host) => sum + host.sessions, 0);
  return hosts.length === 0
    ? ""
    : `${online} of ${count(hosts.length, "host")} online, ${silent > 0 ? `${silent} silent, ` : ""}${draining > 0 ? `${draining} draining, ` : ""}${count(sessions, "agent")} running`;
}
