/**
 * A tool call in the words of a person: what it does, and to what. Owns the names that the vendors' agents give
 * their tools; an unknown tool is shown under its own name with its input.
 */
import type { JsonValue } from "../api/wire.ts";

export type ToolClass = "read" | "edit" | "run" | "search" | "web" | "agent" | "plan" | "question" | "other";

export interface ToolSummary {
  readonly class: ToolClass;
  /** `Read`, `Run`, `Edit` … */
  readonly verb: string;
  /** A path, a command, a pattern; may be long and of many lines. */
  readonly object: string;
  /** What the agent says it is for. */
  readonly purpose: string;
}

export function summarise(tool: string, input: JsonValue): ToolSummary {
  const fields = isObject(input) ? input : {};
  const kind = classOf(tool);
  return {
    class: kind,
    verb: kind === "other" ? tool || "Tool" : verbs[kind],
    object: objectOf(kind, fields),
    purpose: kind === "agent" ? "" : text(fields["description"]),
  };
}

/** The exact command of a call that runs one, else null. */
export function commandOf(tool: string, input: JsonValue): string | null {
  if (classOf(tool) !== "run" || !isObject(input)) return null;
  return command(fieldOf(input, "command", "cmd", "script")) || null;
}

/** `read 6 files, ran 2 commands` */
export function tally(classes: readonly ToolClass[]): string {
  const counts = new Map<ToolClass, number>();
  for (const kind of classes) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => past[kind](count)).join(", ");
}

export function isObject(value: JsonValue | undefined): value is { [key in string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function classOf(tool: string): ToolClass {
  return classes[tool.toLowerCase().replaceAll(/[^a-z]/g, "")] ?? "other";
}

const classes: Readonly<Record<string, ToolClass>> = {
  read: "read",
  readfile: "read",
  view: "read",
  notebookread: "read",
  edit: "edit",
  multiedit: "edit",
  write: "edit",
  writefile: "edit",
  notebookedit: "edit",
  applypatch: "edit",
  patch: "edit",
  filechange: "edit",
  bash: "run",
  shell: "run",
  localshell: "run",
  exec: "run",
  execcommand: "run",
  commandexecution: "run",
  execute: "run",
  run: "run",
  grep: "search",
  glob: "search",
  search: "search",
  list: "search",
  ls: "search",
  toolsearch: "search",
  webfetch: "web",
  fetch: "web",
  websearch: "web",
  task: "agent",
  agent: "agent",
  exitplanmode: "plan",
  todowrite: "plan",
  askuserquestion: "question",
  question: "question",
};

const verbs: Record<Exclude<ToolClass, "other">, string> = {
  read: "Read",
  edit: "Edit",
  run: "Run",
  search: "Search",
  web: "Fetch",
  agent: "Subagent",
  plan: "Plan",
  question: "Question",
};

const past: Record<ToolClass, (count: number) => string> = {
  read: (count) => `read ${count} ${count === 1 ? "file" : "files"}`,
  edit: (count) => (count === 1 ? "made 1 edit" : `made ${count} edits`),
  run: (count) => `ran ${count} ${count === 1 ? "command" : "commands"}`,
  search: (count) => `searched ${count === 1 ? "once" : `${count} times`}`,
  web: (count) => `fetched ${count} ${count === 1 ? "page" : "pages"}`,
  agent: (count) => `used ${count} ${count === 1 ? "subagent" : "subagents"}`,
  plan: () => "planned",
  question: (count) => `asked ${count} ${count === 1 ? "question" : "questions"}`,
  other: (count) => `used ${count} other ${count === 1 ? "tool" : "tools"}`,
};

type Fields = { [key in string]?: JsonValue };

function objectOf(kind: ToolClass, fields: Fields): string {
  switch (kind) {
    case "run":
      return command(fieldOf(fields, "command", "cmd", "script"));
    case "read":
    case "edit":
      return (
        text(fieldOf(fields, "file_path", "filePath", "path", "notebook_path")) || paths(fields["changes"])
      );
    case "search":
      return [text(fieldOf(fields, "pattern", "query")), text(fields["path"])].filter(Boolean).join("  in ");
    case "web":
      return text(fieldOf(fields, "url", "query"));
    case "agent":
      return text(fieldOf(fields, "description", "prompt"));
    case "question":
      return firstQuestion(fields["questions"]) || text(fields["question"]);
    case "plan":
      return "";
    case "other":
      return Object.keys(fields).length > 0 ? JSON.stringify(fields) : "";
  }
}

function fieldOf(fields: Fields, ...names: readonly string[]): JsonValue | undefined {
  return fields[names.find((name) => fields[name] !== undefined) ?? ""];
}

function text(value: JsonValue | undefined): string {
  return typeof value === "string" ? value : "";
}

/** A command is a line for a shell, or the words of one. */
function command(value: JsonValue | undefined): string {
  if (!Array.isArray(value)) return text(value);
  return value.map((word) => quoted(text(word))).join(" ");
}

/** Words that a shell would split or read otherwise are shown in quotes: the boundaries matter to who approves. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function firstQuestion(questions: JsonValue | undefined): string {
  const first = Array.isArray(questions) ? questions[0] : undefined;
  return isObject(first) ? text(first["question"]) : "";
}

function paths(changes: JsonValue | undefined): string {
  if (Array.isArray(changes)) return changes.map((it) => (isObject(it) ? text(it["path"]) : "")).join(", ");
  return isObject(changes) ? Object.keys(changes).join(", ") : "";
}
