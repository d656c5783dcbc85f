import { describe, expect, it } from "vitest";
import { countChanges, parsePatch, replacement } from "./lines.ts";

const patch = `diff --git a/x b/x
index 1..2 100644
--- a/x
+++ b/x
@@ -3,4 +3,4 @@ fn main
 same
--- a comment that was removed
+++ a line that was added
 end
\\ No newline at end of file
`;

describe("a patch", () => {
  it("is numbered on both sides, and its header is not mistaken for changes", () => {
    const lines = parsePatch(patch);
    expect(lines.map(({ kind, before, after }) => [kind, before, after])).toEqual([
      ["hunk", null, null],
      ["context", 3, 3],
      ["removed", 4, null],
      ["added", null, 4],
      ["context", 5, 5],
      ["hunk", null, null],
    ]);
    expect(lines[2]?.text).toBe("-- a comment that was removed");
    expect(countChanges(lines)).toEqual({ added: 1, removed: 1 });
  });

  it("that is none is shown as it is", () => {
    expect(parsePatch("not a patch").map(({ text }) => text)).toEqual(["not a patch"]);
    expect(parsePatch("")).toEqual([]);
  });
});

describe("a replacement", () => {
  it("keeps what both sides share as context", () => {
    const lines = replacement("a\nb\nc\n", "a\nx\ny\nc\n");
    expect(lines.map(({ kind, text }) => `${kind[0]}${text}`)).toEqual(["ca", "rb", "ax", "ay", "cc"]);
  });

  it("of nothing is all new", () => {
    expect(countChanges(replacement("", "a\nb"))).toEqual({ added: 2, removed: 0 });
  });
});
