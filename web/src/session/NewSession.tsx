/** The form that starts a session. On the first day it is also the explanation of what a session is. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { ChevronRight } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { useLocation, useSearchParams } from "wouter";
import { Page } from "../app/Page.tsx";
import { newId } from "../api/ids.ts";
import { routes } from "../api/routes.ts";
import type { AgentRow, ProjectRow } from "../api/wire.ts";
import { useFleet } from "../fleet/store.ts";
import { CopyButton } from "../ui/CopyButton.tsx";
import { count } from "../ui/numbers.ts";
import { Problem } from "../ui/Problem.tsx";
import { AgentChoice } from "./AgentChoice.tsx";
import { Rehearsal } from "./Rehearsal.tsx";

export function NewSession(): ReactNode {
  const projects = useQuery({ queryKey: ["projects"], queryFn: routes.projects });
  const agents = useQuery({ queryKey: ["agents"], queryFn: routes.agents });
  const first = useFleet(({ ready, sessions }) => ready && sessions.size === 0);
  const error = projects.error ?? agents.error;
  return (
    <Page
      title={first ? "Start your first session" : "New session"}
      subtitle="It works on a branch of its own and asks you first"
    >
      {error ? (
        <Problem error={error} retry={() => void Promise.all([projects.refetch(), agents.refetch()])} />
      ) : null}
      {projects.data && agents.data ? (
        <Form projects={projects.data.items} agents={agents.data.items} />
      ) : null}
    </Page>
  );
}

function Form({
  projects,
  agents,
}: {
  projects: readonly ProjectRow[];
  agents: readonly AgentRow[];
}): ReactNode {
  const [wanted] = useSearchParams();
  const [, navigate] = useLocation();
  const [project, setProject] = useState(() =>
    firstOf(projects, wanted.get("project"), (it) => it.id, usable),
  );
  const [agent, setAgent] = useState(() =>
    firstOf(
      agents,
      wanted.get("agent"),
      (it) => it.name,
      (it) => it.available,
    ),
  );
  const [host, setHost] = useState("");
  const [base, setBase] = useState("");
  const [prompt, setPrompt] = useState("");
  // One id for one form: pressing twice, or again after a lost answer, starts one session.
  const [ids] = useState(() => ({ id: newId("ses"), prompt_id: newId("cmd") }));
  const create = useMutation({
    mutationFn: () =>
      routes.createSession({
        id: ids.id,
        project,
        agent,
        ...(prompt.trim() === "" ? {} : { prompt, prompt_id: ids.prompt_id }),
        ...(host === "" ? {} : { host }),
        ...(base.trim() === "" ? {} : { base: base.trim() }),
      }),
    onSuccess: (row) => navigate(`/sessions/${row.id}`),
  });
  const chosen = projects.find((it) => it.id === project);
  const worker = agents.find((it) => it.name === agent);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    create.mutate();
  };
  if (projects.length === 0) return <NoProject />;
  return (
    <form className="grid gap-4 wide:gap-5" onSubmit={submit}>
      <AgentChoice agents={agents} chosen={agent} onChoose={setAgent} />
      <div className="grid grid-cols-2 gap-3 wide:gap-5">
        <label className="block">
          <span className="label">Project</span>
          <select className="field" value={project} onChange={({ target }) => setProject(target.value)}>
            {projects.map((it) => (
              <option key={it.id} value={it.id}>
                {it.name}
              </option>
            ))}
          </select>
          {chosen ? <ProjectNotes project={chosen} /> : null}
        </label>
        <label className="block">
          <span className="label">Host</span>
          <select className="field" value={host} onChange={({ target }) => setHost(target.value)}>
            <option value="">Any with room</option>
            {hostsFor(chosen, worker).map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </div>
      <label className="block">
        <span className="label">What should it do?</span>
        <textarea
          className="field min-h-28 [field-sizing:content]"
          value={prompt}
          placeholder="Say what you want and how you will know that it is done"
          onChange={({ target }) => setPrompt(target.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) create.mutate();
          }}
        />
      </label>
      {create.error ? <Problem error={create.error} /> : null}
      <div className="flex justify-end">
        <button
          type="submit"
          className="button button-primary button-touch"
          disabled={create.isPending || project === "" || !worker?.available}
        >
          {create.isPending ? "Starting" : "Start session"}
        </button>
      </div>
      {agent === "rehearsal" ? <Rehearsal onPrompt={setPrompt} /> : null}
      <details>
        <summary className="flex min-h-8 list-none items-center gap-1 text-small text-muted">
          <ChevronRight size={14} aria-hidden className="[details[open]_&]:rotate-90" />
          Start from another branch or commit
        </summary>
        <input
          className="field mt-1 font-mono"
          aria-label="Branch or commit"
          placeholder={chosen?.hosts[0]?.branch ?? "The checkout’s own commit"}
          value={base}
          onChange={({ target }) => setBase(target.value)}
        />
      </details>
    </form>
  );
}

function ProjectNotes({ project }: { project: ProjectRow }): ReactNode {
  const problems = project.hosts.filter(({ problem }) => problem);
  const uncommitted = Math.max(0, ...project.hosts.map((host) => host.uncommitted));
  return (
    <span className="mt-1 block text-small">
      {problems.map(({ host, problem }) => (
        <span key={host} className="block text-bad">
          {host}: {problem}
        </span>
      ))}
      {uncommitted > 0 ? (
        <span className="block text-muted">
          {count(uncommitted, "uncommitted file")} in the checkout; the session will not see them.
        </span>
      ) : null}
    </span>
  );
}

function NoProject(): ReactNode {
  return (
    <div className="text-muted">
      <p>No host has a project yet. Name a git repository when you start Flotilla on its machine:</p>
      <p className="code-view mt-2 flex items-center justify-between px-3 py-2 text-text">
        flotilla up --project PATH
        <CopyButton text="flotilla up --project PATH" />
      </p>
    </div>
  );
}

/** Hosts that have both the project and the agent. */
function hostsFor(project: ProjectRow | undefined, agent: AgentRow | undefined): string[] {
  const able = new Set(agent?.hosts.filter(({ available }) => available).map(({ host }) => host));
  return (project?.hosts ?? [])
    .filter(({ host, problem }) => !problem && able.has(host))
    .map(({ host }) => host);
}

function usable(project: ProjectRow): boolean {
  return project.hosts.some(({ problem, state }) => !problem && state !== "silent");
}

/** The one that was asked for, else the first that will do, else the first. */
function firstOf<T>(
  items: readonly T[],
  wanted: string | null,
  key: (item: T) => string,
  good: (item: T) => boolean,
): string {
  const found = items.find((item) => key(item) === wanted) ?? items.find(good) ?? items[0];
  return found === undefined ? "" : key(found);
}
