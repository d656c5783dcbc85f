import { describe, expect, it } from "vitest";
import { limitSentence, limitWord } from "./limit.ts";

const now = new Date(2026, 10, 20, 14, 2).getTime();
const later = new Date(2026, 10, 20, 14, 30);
const limit = (resumes: boolean, resets_at: string | null = later.toISOString()) => ({
  message: "You've hit your limit",
  resets_at,
  resumes,
});

describe("a usage limit", () => {
  it("says until when and what happens then", () => {
    expect(limitWord(limit(true), now)).toBe("Usage limit until 14:30");
    expect(limitSentence(limit(true), now)).toBe(
      "Usage limit until 14:30. The session goes on by itself then.",
    );
    expect(limitSentence(limit(false), now)).toBe("Usage limit until 14:30. The session waits for you then.");
  });

  it("that is over waits for a person, or goes on in a moment", () => {
    expect(limitWord(limit(false), later.getTime())).toBe("Usage limit over");
    expect(limitSentence(limit(false), later.getTime())).toBe(
      "The usage limit is over since 14:30. The session waits for you.",
    );
    expect(limitSentence(limit(true), later.getTime())).toBe(
      "The usage limit is over since 14:30. The session goes on in a moment.",
    );
  });

  it("of which nobody said until when does not pretend to know", () => {
    expect(limitWord(limit(false, null), now)).toBe("Usage limit");
    expect(limitSentence(limit(false, null), now)).toContain("Nobody said until when");
  });
});
