import { describe, expect, it } from "vitest";
import { commandOf, summarise, tally } from "./tools.ts";

describe("a tool call in words", () => {
  it("knows the vendors' names for the same thing", () => {
    expect(summarise("Bash", { command: "ls -la", description: "List" })).toEqual({
      class: "run",
      verb: "Run",
      object: "ls -la",
      purpose: "List",
    });
    expect(summarise("read", { filePath: "/a/b.ts" }).object).toBe("/a/b.ts");
    expect(summarise("apply_patch", { changes: { "a.rs": {}, "b.rs": {} } }).object).toBe("a.rs, b.rs");
    expect(summarise("Grep", { pattern: "fn main", path: "src" }).object).toBe("fn main  in src");
  });

  it("shows an unknown tool under its own name with its input", () => {
    expect(summarise("mcp__db__drop", { table: "users" })).toMatchObject({
      class: "other",
      verb: "mcp__db__drop",
      object: '{"table":"users"}',
    });
  });

  it("never hides where one word of a command ends", () => {
    expect(commandOf("shell", { command: ["rm", "-rf", "a b", "it's"] })).toBe(`rm -rf 'a b' 'it'\\''s'`);
  });

  it("survives input of any shape", () => {
    for (const input of [null, 1, "x", [], {}, { command: 7 }, { command: [1, null] }]) {
      expect(() => summarise("Bash", input)).not.toThrow();
    }
  });

  it("tallies a run of calls", () => {
    expect(tally(["read", "read", "run", "read"])).toBe("read 3 files, ran 1 command");
  });
});
