/** Which agent works: those that are there to choose from, and for those that are not, how to get them. */
import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import type { AgentRow } from "../api/wire.ts";
import { CopyButton } from "../ui/CopyButton.tsx";
import { commandIn, Hint } from "../ui/Hint.tsx";
import { count } from "../ui/numbers.ts";

export function AgentChoice({
  agents,
  chosen,
  onChoose,
}: {
  agents: readonly AgentRow[];
  chosen: string;
  onChoose: (name: string) => void;
}): ReactNode {
  const missing = agents.filter(({ available }) => !available);
  return (
    <fieldset>
      <legend className="label">Agent</legend>
      <div className="grid gap-2 wide:grid-cols-2">
        {agents
          .filter(({ available }) => available)
          .map((agent) => (
            <label
              key={agent.name}
              className="flex min-h-11 cursor-pointer items-center gap-3 rounded border border-line bg-raised px-3 py-2 hover:bg-hover has-checked:border-accent has-checked:bg-accent-soft"
            >
              <input
                type="radio"
                name="agent"
                className="size-4 shrink-0 accent-accent-fill"
                checked={agent.name === chosen}
                onChange={() => onChoose(agent.name)}
              />
              <span className="min-w-0">
                <span className="block font-medium">{agent.title}</span>
                <span className="block truncate text-small text-muted">{where(agent)}</span>
              </span>
            </label>
          ))}
      </div>
      {missing.length > 0 ? (
        <details className="mt-2">
          <summary className="flex min-h-8 list-none items-center gap-1 text-small text-muted">
            <ChevronRight size={14} aria-hidden className="[details[open]_&]:rotate-90" />
            Not found: {missing.map(({ title }) => title).join(", ")}. How to get them
          </summary>
          <ul className="mt-1 grid gap-1">
            {missing.map((agent) => (
              <Missing key={agent.name} agent={agent} />
            ))}
          </ul>
        </details>
      ) : null}
    </fieldset>
  );
}

function Missing({ agent }: { agent: AgentRow }): ReactNode {
  const hint = agent.hosts.find((host) => host.hint)?.hint;
  return (
    <li className="flex items-center gap-2 rounded bg-tint px-3 py-1.5 text-small">
      <span className="min-w-0 grow [overflow-wrap:anywhere]">
        <b className="font-medium">{agent.title}</b>{" "}
        <span className="text-muted">
          <Hint text={hint ?? "is on no host."} />
        </span>
      </span>
      {hint ? <CopyButton text={commandIn(hint)} /> : null}
    </li>
  );
}

function where(agent: AgentRow): string {
  const able = agent.hosts.filter(({ available }) => available);
  const versions = new Set(able.map(({ version }) => version).filter(Boolean));
  const on = able.length === 1 ? able[0]?.host : count(able.length, "host");
  return [...versions].join(", ") + (versions.size > 0 ? " on " : "On ") + on;
}
