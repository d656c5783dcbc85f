/** One host. Owns the words for how it stands; what it reports comes from its runner. */
import { Check, Minus, ShieldAlert, ShieldCheck } from "lucide-react";
import type { ReactNode } from "react";
import type { AgentReport, HostRow, HostState, ProjectReport } from "../api/wire.ts";
import { CopyButton } from "../ui/CopyButton.tsx";
import { commandIn, Hint } from "../ui/Hint.tsx";
import { Moment } from "../ui/Moment.tsx";
import { bytes, count } from "../ui/numbers.ts";
import { hostWords } from "../ui/words.ts";
import { Drain } from "./Drain.tsx";
import { Membership } from "./Membership.tsx";

export function HostCard({ host }: { host: HostRow }): ReactNode {
  return (
    <article aria-label={host.host} className="py-6 first:pt-2">
      <header className="flex gap-3">
        <span className="flex h-6 items-center">
          <HostMark state={host.state} />
        </span>
        <div className="flex min-w-0 flex-wrap items-baseline gap-x-3">
          <h2 className="text-large font-semibold [overflow-wrap:anywhere]">{host.host}</h2>
          <p className={`text-small ${host.state === "silent" ? "text-bad" : "text-muted"}`}>
            {host.revoked_at ? "Revoked" : hostWords[host.state]}
            {host.draining && !host.revoked_at ? ", draining" : ""}
            {host.heard_at && host.state !== "online" ? (
              <>
                , last heard <Moment at={host.heard_at} as="ago" />
              </>
            ) : null}
          </p>
        </div>
      </header>
      <p className="mt-1 text-small text-muted">
        {host.operating_system} · runner {host.version}, up since <Moment at={host.started_at} as="clock" />
        {Object.entries(host.labels).map(([name, value]) => ` · ${name}=${value}`)}
      </p>
      <Room host={host} />
      {host.revoked_at ? null : <Drain host={host} />}
      <Isolation isolated={host.isolated} />
      <Refusals refused={host.commands_refused} />
      <h3 className="heading-small mt-5 mb-1">Agents</h3>
      <ul className="divide-y divide-line border-t border-line">
        {host.agents.map((agent) => (
          <AgentLine key={agent.name} agent={agent} />
        ))}
      </ul>
      <h3 className="heading-small mt-5 mb-1">Projects</h3>
      {host.projects.length === 0 ? (
        <p className="text-small text-muted">
          None. Start with “flotilla up --project PATH” to add a git repository.
        </p>
      ) : (
        <ul className="divide-y divide-line border-t border-line">
          {host.projects.map((project) => (
            <ProjectLine key={project.id} project={project} />
          ))}
        </ul>
      )}
      <Membership host={host} />
    </article>
  );
}

const marks: Record<HostState, ReactNode> = {
  online: <circle cx="6" cy="6" r="5" className="fill-good-mark" />,
  silent: (
    <g className="stroke-bad-mark" fill="none" strokeWidth="2">
      <circle cx="6" cy="6" r="4.5" />
      <path d="M3 9 9 3" />
    </g>
  ),
  unknown: (
    <circle
      cx="6"
      cy="6"
      r="4.5"
      fill="none"
      strokeWidth="2"
      strokeDasharray="3 2.6"
      className="stroke-faint"
    />
  ),
};

function HostMark({ state }: { state: HostState }): ReactNode {
  return (
    <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden className="shrink-0">
      {marks[state]}
    </svg>
  );
}

function Room({ host }: { host: HostRow }): ReactNode {
  const free = host.memory_free_bytes;
  const used = free === null ? null : Math.round(100 * (1 - free / Math.max(1, host.memory_bytes)));
  return (
    <dl className="mt-3 grid grid-cols-2 gap-x-6 gap-y-2 text-small wide:grid-cols-3">
      <Amount
        name="Agents running"
        value={`${host.sessions} of ${count(host.slots, "slot")}${host.waiting_for_slot > 0 ? `, ${host.waiting_for_slot} wait` : ""}`}
        part={host.sessions / Math.max(1, host.slots)}
      />
      <Amount
        name="Memory"
        value={
          free === null ? bytes(host.memory_bytes) : `${bytes(free)} free of ${bytes(host.memory_bytes)}`
        }
        part={used === null ? null : used / 100}
      />
      <Amount
        name="Load, 1 min"
        value={host.load === null ? "not known" : host.load.toFixed(2)}
        part={null}
      />
    </dl>
  );
}

function Amount({ name, value, part }: { name: string; value: string; part: number | null }): ReactNode {
  return (
    <div>
      <dt className="text-faint">{name}</dt>
      <dd>
        {value}
        {part === null ? null : (
          <span aria-hidden className="mt-1 block h-1 overflow-hidden rounded-full bg-hover">
            <span
              className={`block h-full rounded-full ${part > 0.9 ? "bg-needs-mark" : "bg-line-strong"}`}
              style={{ width: `${Math.min(100, Math.round(part * 100))}%` }}
            />
          </span>
        )}
      </dd>
    </div>
  );
}

function Isolation({ isolated }: { isolated: boolean }): ReactNode {
  return isolated ? (
    <p className="mt-3 flex items-start gap-2 text-small text-muted">
      <ShieldCheck size={16} aria-hidden className="mt-px shrink-0 text-good" />
      Isolated: each agent runs under a user of its own, with limits.
    </p>
  ) : (
    <p className="mt-3 flex items-start gap-2 text-small text-muted">
      <ShieldAlert size={16} aria-hidden className="mt-px shrink-0 text-needs" />
      <span>
        <b className="font-medium text-needs">Not isolated</b>: agents run as the runner’s own user, and an
        allowed command can reach what that user can.
      </span>
    </p>
  );
}

/** Commands that were not ours. Somebody who sees this has something to look for. */
function Refusals({ refused }: { refused: number }): ReactNode {
  return refused === 0 ? null : (
    <p className="mt-3 flex items-start gap-2 text-small text-muted">
      <ShieldAlert size={16} aria-hidden className="mt-px shrink-0 text-bad" />
      <span>
        <b className="font-medium text-bad">Refused {count(refused, "command")}</b> since its runner started:
        not signed by this fleet, or not meant for it. The runner’s log names each.
      </span>
    </p>
  );
}

function AgentLine({ agent }: { agent: AgentReport }): ReactNode {
  return (
    <li className="flex items-start gap-2.5 py-2">
      {agent.available ? (
        <Check size={16} aria-hidden className="mt-0.5 shrink-0 text-good" />
      ) : (
        <Minus size={16} aria-hidden className="mt-0.5 shrink-0 text-faint" />
      )}
      <div className="min-w-0 grow">
        <p>
          <span className="font-medium">{agent.title}</span>{" "}
          <span className="text-muted">{agent.available ? (agent.version ?? "") : "not found"}</span>
        </p>
        {agent.available && agent.command ? (
          <p className="truncate font-mono text-small text-faint">{agent.command}</p>
        ) : null}
        {!agent.available && agent.hint ? (
          <p className="text-small text-muted [overflow-wrap:anywhere]">
            <Hint text={agent.hint} />
          </p>
        ) : null}
      </div>
      {!agent.available && agent.hint ? <CopyButton text={commandIn(agent.hint)} /> : null}
    </li>
  );
}

function ProjectLine({ project }: { project: ProjectReport }): ReactNode {
  const path = project.path.replace(/(?<=.)\/+$/, "");
  return (
    <li className="py-2">
      <p className="flex items-baseline gap-x-2">
        <span className="min-w-0 truncate font-medium" title={project.name}>
          {project.name}
        </span>
        {project.branch ? (
          <span className="min-w-0 truncate text-muted" title={project.branch}>
            {project.branch}
          </span>
        ) : null}
        {project.head ? (
          <span className="shrink-0 font-mono text-small text-faint">{project.head.slice(0, 8)}</span>
        ) : null}
      </p>
      <p className="truncate font-mono text-small text-faint" title={path}>
        {path}
      </p>
      {project.problem ? <p className="text-small text-bad">{project.problem}</p> : null}
      {project.uncommitted > 0 ? (
        <p className="text-small text-muted">
          {count(project.uncommitted, "uncommitted file")} in this checkout; sessions do not see them.
        </p>
      ) : null}
    </li>
  );
}
