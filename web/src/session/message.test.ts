import { describe, expect, it } from "vitest";
import { messageSteps, messageWords } from "./message.ts";

const silence = {
  since: "last heard 40 s ago",
  sentence: "vps-2 has not been heard for 40 s",
  title: "Last heard then",
};
const filled = (progress: Parameters<typeof messageSteps>[0]): string[] =>
  messageSteps(progress)
    .filter(({ at }) => at !== null)
    .map(({ word }) => word);

describe("a message", () => {
  const at = "2026-03-02T12:00:00Z";

  it("is as far as those who have it say, and no farther", () => {
    const written = { written: at, accepted: null, delivered: null, takenUp: null };
    expect(filled(written)).toEqual(["written"]);
    expect(filled({ ...written, accepted: at })).toEqual(["written", "accepted"]);
    expect(filled({ ...written, accepted: "unknown", delivered: at })).toEqual([
      "written",
      "accepted",
      "delivered",
    ]);
  });

  it("that nobody has is not said to be sent", () => {
    for (const where of ["sending", "queued"] as const) {
      expect(messageWords(where, "vps-2", silence, false)).not.toMatch(
        /accepted|delivered|\bsent\b(?! as soon)/i,
      );
    }
  });

  it("for a session without a host says that it is kept", () => {
    expect(messageWords("accepted", null, null, false)).toBe(
      "Accepted; kept until a host has room for this session",
    );
  });

  it("for a silent host says since when it is silent", () => {
    expect(messageWords("accepted", "vps-2", null, false)).toBe("Accepted; on its way to vps-2");
    expect(messageWords("accepted", "vps-2", silence, true)).toBe(
      "Accepted; vps-2 has not been heard for 40 s",
    );
  });
});
