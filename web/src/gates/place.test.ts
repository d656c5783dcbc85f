import { describe, expect, it } from "vitest";
import { placeOf } from "./place.ts";

describe("where a path lies", () => {
  it("is told from the worktree when it is inside", () => {
    expect(placeOf("/w/ses_1/src/a.rs", "/w/ses_1")).toEqual({ name: "src/a.rs", where: "inside" });
    expect(placeOf("/w/ses_1", "/w/ses_1/")).toEqual({ name: ".", where: "inside" });
  });

  it("is outside for a neighbour, and for a way that leads out", () => {
    expect(placeOf("/w/ses_10/a", "/w/ses_1").where).toBe("outside");
    expect(placeOf("/w/ses_1/../../etc/passwd", "/w/ses_1")).toEqual({
      name: "/w/ses_1/../../etc/passwd",
      where: "outside",
    });
  });

  it("is not known without a worktree", () => {
    expect(placeOf("/a", null).where).toBe("unknown");
    expect(placeOf("a/b", "/w").where).toBe("unknown");
  });
});
