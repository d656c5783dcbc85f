/** What a gate is about, in the shape in which a person can judge it. Pure. */
import type { Gate, JsonValue } from "../api/wire.ts";
import { type DiffLine, parsePatch, replacement } from "../diff/lines.ts";
import { commandOf, isObject } from "../session/tools.ts";

export type Subject =
  | { readonly kind: "question" }
  | { readonly kind: "plan"; readonly text: string }
  | { readonly kind: "command"; readonly command: string; readonly rest: Fields }
  | { readonly kind: "edit"; readonly path: string; readonly edits: readonly Edit[]; readonly rest: Fields }
  | { readonly kind: "fields"; readonly fields: Fields }
  | { readonly kind: "input"; readonly text: string };

export interface Edit {
  readonly title: string;
  readonly lines: readonly DiffLine[];
}

export type Fields = Readonly<Record<string, JsonValue>>;

/** Takes every field of the input along: what is not drawn in a form of its own is in `rest`, and shown. */
export function subjectOf({
  kind,
  tool,
  input,
  plan,
}: Pick<Gate, "kind" | "tool" | "input" | "plan">): Subject {
  if (kind === "question") return { kind };
  if (kind === "plan") return { kind, text: plan ?? fieldText(input, "plan") };
  const command = commandOf(tool, input);
  if (command !== null) return { kind: "command", command, rest: without(input, "command", "cmd", "script") };
  return editOf(input) ?? fieldsOf(input) ?? { kind: "input", text: JSON.stringify(input, null, 2) };
}

/** The title of a card. What stands in full below it is not said here in short. */
export function headline({
  kind,
  tool,
  input,
  summary,
  questions,
}: Pick<Gate, "kind" | "tool" | "input" | "summary" | "questions">): string {
  if (kind === "question" && questions.length > 1) return `Asks ${questions.length} questions.`;
  if (kind === "tool" && commandOf(tool, input) !== null) return "Runs a command.";
  return summary;
}

/** The field that holds the text a person would change, and the text; null = the whole input as JSON. */
export function editableText(tool: string, input: JsonValue): { field: string; text: string } | null {
  if (!isObject(input)) return null;
  const names = commandOf(tool, input) === null ? writtenIn(input) : ["command", "cmd", "script"];
  const field = names.find((name) => typeof input[name] === "string");
  return field ? { field, text: fieldText(input, field) } : null;
}

/** Where a change of one file has its new text. */
function writtenIn(input: Fields): string[] {
  if (editOf(input) === null || Array.isArray(input["edits"])) return [];
  return ["new_string", "newString", "content"];
}

/** An input without depth reads better as names and values. */
function fieldsOf(input: JsonValue): Subject | null {
  if (!isObject(input) || Object.keys(input).length === 0) return null;
  const flat = Object.values(input).every((value) => value === null || typeof value !== "object");
  return flat ? { kind: "fields", fields: input } : null;
}

function editOf(input: JsonValue): Subject | null {
  if (!isObject(input)) return null;
  const pathField = ["file_path", "filePath", "path", "notebook_path"].find(
    (name) => typeof input[name] === "string",
  );
  if (!pathField) return null;
  const found = editsIn(input);
  if (!found) return null;
  const path = fieldText(input, pathField);
  return {
    kind: "edit",
    path,
    edits: found.edits,
    rest: without(input, pathField, ...found.fields),
  };
}

function editsIn(input: Fields): { edits: Edit[]; fields: string[] } | null {
  const many = input["edits"];
  if (Array.isArray(many) && many.every((edit) => pair(edit) !== null)) {
    const edits = many.map((edit, index) => ({
      title: `Edit ${index + 1} of ${many.length}${isObject(edit) && edit["replace_all"] === true ? ", everywhere" : ""}`,
      lines: replacement(...(pair(edit) ?? ["", ""])),
    }));
    return { edits, fields: ["edits"] };
  }
  const one = pair(input);
  if (one) {
    // False is what everyone expects; true is said in the title.
    const everywhere = typeof input["replace_all"] === "boolean" ? ["replace_all"] : [];
    const fields = ["old_string", "new_string", "oldString", "newString", ...everywhere];
    const title = input["replace_all"] === true ? "Everywhere in the file" : "";
    return { edits: [{ title, lines: replacement(...one) }], fields };
  }
  if (typeof input["content"] === "string") {
    const lines = replacement("", input["content"]);
    return { edits: [{ title: "The whole file will be", lines }], fields: ["content"] };
  }
  const patch = ["patch", "diff"].find((name) => typeof input[name] === "string");
  return patch
    ? { edits: [{ title: "", lines: parsePatch(fieldText(input, patch)) }], fields: [patch] }
    : null;
}

function pair(edit: JsonValue): [string, string] | null {
  if (!isObject(edit)) return null;
  const before = edit["old_string"] ?? edit["oldString"];
  const after = edit["new_string"] ?? edit["newString"];
  return typeof before === "string" && typeof after === "string" ? [before, after] : null;
}

function without(input: JsonValue, ...names: readonly string[]): Fields {
  if (!isObject(input)) return {};
  return Object.fromEntries(Object.entries(input).filter(([name]) => !names.includes(name)));
}

function fieldText(input: JsonValue, name: string): string {
  const value = isObject(input) ? input[name] : undefined;
  return typeof value === "string" ? value : "";
}
