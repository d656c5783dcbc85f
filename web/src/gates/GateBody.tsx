/** What a gate would do, in full: the command, the change, the plan or the input. Never shortened without a mark. */
import type { ReactNode } from "react";
import type { Gate, JsonValue } from "../api/wire.ts";
import { Changes } from "../diff/Changes.tsx";
import { DiffLines } from "../diff/DiffLines.tsx";
import { countChanges } from "../diff/lines.ts";
import { Markdown } from "../markdown/Markdown.tsx";
import { count } from "../ui/numbers.ts";
import { visible } from "../ui/visible.ts";
import { placeOf } from "./place.ts";
import { type Edit, type Fields, subjectOf } from "./subject.ts";

interface GateBodyProps {
  gate: Pick<Gate, "kind" | "tool" | "input" | "plan">;
  /** Where the session works, to tell what lies inside it from what does not. */
  worktree: string | null;
  /** What has been said above: a file that is named there is not named again. */
  title?: string;
}

export function GateBody({ gate, worktree, title = "" }: GateBodyProps): ReactNode {
  const subject = subjectOf(gate);
  switch (subject.kind) {
    case "question":
      return null;
    case "plan":
      return (
        // Scrolls, so the keyboard must reach it.
        <section
          tabIndex={0}
          aria-label="Plan"
          className="max-h-(--plan-max) overflow-auto rounded border border-line px-4 py-3"
        >
          <Markdown text={subject.text} />
        </section>
      );
    case "command":
      return (
        <>
          <Exact text={subject.command} label="Command" />
          <Rest fields={subject.rest} worktree={worktree} />
        </>
      );
    case "edit":
      return (
        <>
          {subject.edits.map((edit, index) => (
            // Edits of one call are applied in order: an index is a true key here.
            // oxlint-disable-next-line react/no-array-index-key
            <EditView key={index} path={subject.path} worktree={worktree} edit={edit} title={title} />
          ))}
          <Rest fields={subject.rest} worktree={worktree} />
        </>
      );
    case "fields":
      if (isSaid(subject.fields, worktree, title)) return null;
      return (
        <div className="rounded border border-line bg-sunken px-3 py-2">
          <Rest fields={subject.fields} worktree={worktree} />
        </div>
      );
    case "input":
      return <Exact text={subject.text} label="Input" />;
  }
}

export function Exact({ text, label }: { text: string; label: string }): ReactNode {
  const lines = text.split("\n").length;
  return (
    <div>
      {/* Scrolls, so the keyboard must reach it. */}
      <pre
        tabIndex={0}
        aria-label={label}
        className="code-view max-h-(--exact-max) px-3 py-2 [overflow-wrap:anywhere] whitespace-pre-wrap"
      >
        {visible(text)}
      </pre>
      {lines > 12 ? (
        <p className="mt-1 text-small text-faint">{count(lines, "line")}; scroll to read all</p>
      ) : null}
    </div>
  );
}

interface EditViewProps {
  path: string;
  worktree: string | null;
  edit: Edit;
  title: string;
}

function EditView({ path, worktree, edit, title }: EditViewProps): ReactNode {
  const lines = edit.lines.map((line) => ({ ...line, text: visible(line.text) }));
  return (
    <div className="grid gap-1">
      {isNamed(path, worktree, title) ? (
        edit.title && <p className="text-small text-muted">{edit.title}</p>
      ) : (
        <p className="flex flex-wrap items-baseline gap-x-3 text-small">
          <PathName path={path} worktree={worktree} />
          <Changes {...countChanges(lines)} />
          <span className="text-muted">{edit.title}</span>
        </p>
      )}
      <DiffLines lines={lines} label={`Change to ${path}`} className="max-h-(--exact-max)" />
    </div>
  );
}

/** Whether the one thing there is to say stands in the title already, whole. */
function isSaid(fields: Fields, worktree: string | null, title: string): boolean {
  const values = Object.values(fields);
  const [value] = values;
  return values.length === 1 && typeof value === "string" && isNamed(value, worktree, title);
}

function isNamed(path: string, worktree: string | null, title: string): boolean {
  const { name, where } = placeOf(path, worktree);
  return where !== "outside" && title.includes(`\`${visible(name)}\``);
}

/** What an agent says in these is meant for people. */
const prose: ReadonlySet<string> = new Set(["description", "prompt", "reason"]);

/** In a person's words, where the agent's name for a field means the same everywhere. */
const labels: Readonly<Record<string, string>> = {
  description: "Purpose",
  file_path: "File",
  filePath: "File",
  path: "Path",
};

/** The fields that have no form of their own: small, and never left out. */
function Rest({ fields, worktree }: { fields: Fields; worktree: string | null }): ReactNode {
  const entries = Object.entries(fields);
  if (entries.length === 0) return null;
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-3 text-small">
      {entries.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted">{labels[name] ?? visible(name)}</dt>
          <dd
            className={`max-h-(--exact-max) min-w-0 overflow-y-auto [overflow-wrap:anywhere] whitespace-pre-wrap ${prose.has(name) ? "" : "font-mono"}`}
          >
            <Value value={value} worktree={worktree} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ value, worktree }: { value: JsonValue; worktree: string | null }): ReactNode {
  if (typeof value !== "string") return visible(JSON.stringify(value));
  return value.startsWith("/") ? <PathName path={value} worktree={worktree} /> : visible(value);
}

/** A path inside the worktree is told from there; one outside it in full, and it is said that it is outside. */
function PathName({ path, worktree }: { path: string; worktree: string | null }): ReactNode {
  const place = placeOf(path, worktree);
  return (
    <span title={visible(path)} className="font-mono [overflow-wrap:anywhere]">
      {visible(place.name)}
      {place.where === "outside" ? (
        <span className="ml-2 font-sans text-needs">outside the session’s worktree</span>
      ) : null}
    </span>
  );
}
