import { describe, expect, it } from "vitest";
import { bytes, dollars, tokens } from "./numbers.ts";
import { age, ago, clockTime, duration } from "./time.ts";

const at = "2026-03-02T12:00:00.000Z";
const base = Date.parse(at);

describe("moments", () => {
  it("grow from now to days", () => {
    const seen = [0, 9_000, 40_000, 12 * 60_000, 3 * 3_600_000, 5 * 86_400_000].map((ms) =>
      age(at, base + ms),
    );
    expect(seen).toEqual(["now", "now", "40 s", "12 min", "3 h", "5 d"]);
  });

  it("do not go negative when two clocks differ", () => {
    expect(ago(at, base - 60_000)).toBe("just now");
  });

  it("name the day when it is not today", () => {
    expect(clockTime(at, base + 2 * 86_400_000)).toMatch(/^Mon \d\d:\d\d$/);
    expect(clockTime(at, base + 30 * 86_400_000)).toMatch(/^2 Mar \d\d:\d\d$/);
  });

  it("that are to come do not name the weekday of a week from now", () => {
    expect(clockTime(at, base - 2 * 86_400_000)).toMatch(/^Mon \d\d:\d\d$/);
    expect(clockTime(at, base - 7 * 86_400_000)).toMatch(/^2 Mar \d\d:\d\d$/);
  });
});

describe("amounts", () => {
  it("read like a person would write them", () => {
    expect([380, 12_400, 200_000, 7_500_000].map(duration)).toEqual([
      "0.4 s",
      "12 s",
      "3 min 20 s",
      "2 h 5 min",
    ]);
    expect([0, 0.004, 1.239].map(dollars)).toEqual(["", "<$0.01", "$1.24"]);
    expect([512, 1536, 2_400_000_000, 256_000_000].map(bytes)).toEqual([
      "512 B",
      "1.5 kB",
      "2.4 GB",
      "256 MB",
    ]);
    expect([12, 12_400, 1_250_000].map(tokens)).toEqual(["12", "12.4k", "1.3M"]);
  });
});
