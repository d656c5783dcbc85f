import { describe, expect, it } from "vitest";
import type { JsonValue } from "../api/wire.ts";
import { editableText, headline, subjectOf } from "./subject.ts";

const tool = (name: string, input: JsonValue): ReturnType<typeof subjectOf> =>
  subjectOf({ kind: "tool", tool: name, input, plan: null });

const title = (name: string): string =>
  headline({ kind: "tool", tool: name, input: { command: "ls" }, summary: "Runs `ls`.", questions: [] });

describe("what a gate is about", () => {
  it("is the exact command, with every other field beside it", () => {
    expect(tool("Bash", { command: "rm -rf x", timeout: 5, run_in_background: true })).toEqual({
      kind: "command",
      command: "rm -rf x",
      rest: { timeout: 5, run_in_background: true },
    });
  });

  it("is the change, for an edit of any agent", () => {
    for (const input of [
      { file_path: "/a", old_string: "x", new_string: "y" },
      { filePath: "/a", oldString: "x", newString: "y" },
      { path: "/a", edits: [{ old_string: "x", new_string: "y" }] },
    ]) {
      const subject = tool("Edit", input);
      if (subject.kind !== "edit") throw new Error(subject.kind);
      expect(subject.path).toBe("/a");
      expect(subject.edits[0]?.lines.map(({ kind }) => kind)).toEqual(["removed", "added"]);
    }
  });

  it("says of an edit that it is made everywhere, and nothing when it is not", () => {
    const edit = { path: "/a", old_string: "x", new_string: "y" };
    expect(tool("Edit", { ...edit, replace_all: false })).toMatchObject({ edits: [{ title: "" }], rest: {} });
    expect(tool("Edit", { ...edit, replace_all: true })).toMatchObject({
      edits: [{ title: "Everywhere in the file" }],
      rest: {},
    });
  });

  it("is the whole input when it is not understood in full", () => {
    expect(tool("mcp__x", { a: [1] }).kind).toBe("input");
    expect(tool("mcp__x", { a: 1 })).toEqual({ kind: "fields", fields: { a: 1 } });
    expect(tool("Edit", { path: "/a", edits: [{ surprise: true }] }).kind).toBe("input");
  });

  it("is named in the title only where it does not stand in full below", () => {
    expect(title("Bash")).toBe("Runs a command.");
    expect(title("mcp__x")).toBe("Runs `ls`.");
  });

  it("may be changed as text only where one field holds it", () => {
    expect(editableText("Bash", { command: "ls" })).toEqual({ field: "command", text: "ls" });
    expect(editableText("shell", { command: ["ls"] })).toBeNull();
    expect(editableText("Edit", { path: "/a" })).toBeNull();
    expect(editableText("Edit", { path: "/a", old_string: "x", new_string: "y" })?.field).toBe("new_string");
    expect(editableText("Write", { path: "/a", content: "y" })?.field).toBe("content");
    expect(editableText("Edit", { path: "/a", edits: [{ old_string: "x", new_string: "y" }] })).toBeNull();
  });
});
