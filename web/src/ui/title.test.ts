import { describe, expect, it } from "vitest";
import { sessionTitle } from "./title.ts";

const titled = (title: string): string => sessionTitle(title, "claude");

describe("a title", () => {
  it("has no marks of markdown", () => {
    expect(titled("## Note the **opening hours**, *today*")).toBe("Note the opening hours, today");
    expect(titled("- Fix `till.py` as in [the issue](https://example.org/1)")).toBe(
      "Fix till.py as in the issue",
    );
    expect(titled("Make **all of")).toBe("Make all of");
  });

  it("keeps what only looks like a mark", () => {
    expect(titled("rename max_line_bytes to 2 * 3 in src/*.py")).toBe(
      "rename max_line_bytes to 2 * 3 in src/*.py",
    );
  });

  it("of a rehearsal begins with what is said", () => {
    expect(sessionTitle("say The shop is open.", "rehearsal")).toBe("The shop is open.");
    expect(sessionTitle("plan # Opening hours\\n\\n1. Read", "rehearsal")).toBe("Opening hours");
    expect(titled("say hello to Ada")).toBe("say hello to Ada");
  });

  it("is never empty", () => {
    expect(titled("  ")).toBe("Untitled");
  });
});
