import { describe, expect, it } from "vitest";
import type { HostRow } from "../api/wire.ts";
import { silenceOf } from "./silence.ts";

const now = Date.parse("2026-03-02T12:00:40Z");
const host: HostRow = {
  host: "vps-2",
  state: "silent",
  heard_at: "2026-03-02T12:00:00Z",
  version: "1",
  operating_system: "Linux",
  started_at: "2026-03-01T12:00:00Z",
  isolated: false,
  agents: [],
  projects: [],
  slots: 4,
  sessions: 0,
  waiting_for_slot: 0,
  draining: null,
  commands_refused: 0,
  revoked_at: null,
  revoked_by_name: null,
  labels: {},
  memory_bytes: 1,
  memory_free_bytes: null,
  load: null,
};

describe("a silent host", () => {
  it("says since when it is silent, in the same words everywhere", () => {
    const silence = silenceOf(host, now);
    expect(silence?.since).toBe("last heard 40 s ago");
    expect(silence?.sentence).toBe("vps-2 has not been heard for 40 s");
    expect(silence?.title).toContain("2026");
  });

  it("that was never heard by this coordinator is silent all the same", () => {
    expect(silenceOf({ ...host, heard_at: null }, now)?.sentence).toBe("vps-2 is silent");
  });

  it("is none while it is heard of, and while nobody can say", () => {
    expect(silenceOf({ ...host, state: "online" }, now)).toBeNull();
    expect(silenceOf({ ...host, state: "unknown" }, now)).toBeNull();
  });
});
