import { describe, expect, it } from "vitest";
import type { Gate, SessionRow, State } from "../api/wire.ts";
import type { FleetFrame } from "../stream/connect.ts";
import { groupSessions, holdPlaces } from "./groups.ts";
import { standing } from "../ui/words.ts";
import { emptyFleet, mergeFleet, pendingGates } from "./store.ts";

const moment = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();

function session(id: string, state: State, minute = 0, pending = 0): SessionRow {
  return {
    id,
    title: id,
    project: "p",
    project_name: "shop",
    agent: "claude",
    host: "vps-1",
    placed_because: null,
    queue: null,
    epoch: 1,
    state,
    state_reason: null,
    branch: null,
    base: null,
    worktree: null,
    isolated: true,
    model: null,
    pending_gates: pending,
    undelivered: [],
    oldest_gate: null,
    waiting_since: pending > 0 ? moment(minute) : null,
    added: 0,
    removed: 0,
    turns: 0,
    tokens: { input: 0, output: 0, cache_read: 0, cache_write: 0 },
    cost_usd: 0,
    context_tokens: null,
    context_tokens_max: null,
    can_continue: false,
    continue_reason: null,
    limit: null,
    last_seq: 0,
    labels: {},
    created_at: moment(minute),
    created_by: "usr_1",
    created_by_name: "Anna",
    updated_at: moment(minute),
  };
}

function gate(id: string, minute: number, change: Partial<Gate> = {}): Gate {
  return {
    id,
    session: "ses_1",
    session_title: "t",
    host: "vps-1",
    project: "p",
    project_name: "shop",
    branch: null,
    agent: "claude",
    kind: "tool",
    tool: "Bash",
    tool_use: id,
    input: {},
    truncated: false,
    input_hash: "00",
    summary: "",
    risks: [],
    questions: [],
    plan: null,
    turn: null,
    parent: null,
    opened_at: moment(minute),
    seq: 1,
    state: "pending",
    decision: null,
    withdrawn_reason: null,
    reminders: 0,
    reminded_at: null,
    receipts: { decided_at: null, delivered_at: null, released_at: null, finished_at: null, outcome: null },
    ...change,
  };
}

const frame = (change: Partial<FleetFrame>): FleetFrame => ({
  type: "fleet",
  snapshot: false,
  sessions: [],
  gates: [],
  hosts: [],
  ...change,
});

describe("the fleet", () => {
  it("is replaced by a whole picture and changed by the rest", () => {
    let fleet = mergeFleet(
      emptyFleet,
      frame({ snapshot: true, sessions: [session("a", "idle"), session("b", "idle")] }),
    );
    fleet = mergeFleet(fleet, frame({ sessions: [session("a", "working")] }));
    expect(fleet.sessions.get("a")?.state).toBe("working");
    fleet = mergeFleet(fleet, frame({ snapshot: true, sessions: [session("b", "idle")] }));
    expect([...fleet.sessions.keys()]).toEqual(["b"]);
  });

  it("shows who has waited longest first, and forgets gates that were settled while away", () => {
    let fleet = mergeFleet(emptyFleet, frame({ snapshot: true, gates: [gate("late", 5), gate("early", 1)] }));
    expect(pendingGates(fleet.gates).map((row) => row.id)).toEqual(["early", "late"]);
    fleet = mergeFleet(fleet, frame({ snapshot: true, gates: [gate("late", 5)] }));
    expect(pendingGates(fleet.gates).map((row) => row.id)).toEqual(["late"]);
  });

  it("never goes back from decided to pending", () => {
    const done = gate("g", 1, { state: "decided" });
    const fleet = mergeFleet(
      mergeFleet(emptyFleet, frame({ gates: [done] })),
      frame({ gates: [gate("g", 1)] }),
    );
    expect(fleet.gates.get("g")?.state).toBe("decided");
  });
});

describe("groups of sessions", () => {
  it("put who needs a person first", () => {
    const rows = [
      session("i", "idle"),
      session("w", "working"),
      session("n", "working", 3, 1),
      session("e", "ended"),
    ];
    expect(groupSessions(rows).map(({ group }) => group)).toEqual(["needs", "working", "idle", "ended"]);
  });

  it("have a line of their own while no host has them, the next one first", () => {
    const waits = (id: string, position: number): SessionRow => ({
      ...session(id, "queued", position),
      host: null,
      queue: { position, length: 2, reason: "vps-1: draining" },
    });
    const groups = groupSessions([waits("b", 2), session("a", "queued"), waits("c", 1)]);
    expect(groups.map(({ group, rows }) => [group, rows.map((row) => row.id)])).toEqual([
      ["working", ["a"]],
      ["queued", ["c", "b"]],
    ]);
  });

  it("stay where they are under a pointer, and take new rows at the end", () => {
    const before = groupSessions([session("a", "working"), session("b", "idle")]);
    const after = groupSessions([session("a", "idle"), session("b", "working"), session("c", "working", 9)]);
    const held = holdPlaces(before, after);
    expect(held.map(({ group, rows }) => [group, rows.map((row) => row.id)])).toEqual([
      ["working", ["a", "c"]],
      ["idle", ["b"]],
    ]);
    expect(held[0]?.rows[0]?.state).toBe("idle");
  });
});

describe("how a session stands", () => {
  const limit = { message: "You've hit your limit", resets_at: moment(30), resumes: true };

  it("is what keeps it from its work, before that it is idle or asleep", () => {
    expect(standing({ ...session("a", "idle"), limit, can_continue: true })).toBe("limited");
    expect(standing({ ...session("a", "asleep"), can_continue: true })).toBe("broken");
    expect(standing(session("a", "asleep"))).toBe("asleep");
  });

  it("is the state itself while it works, ends or its host is silent, and a gate counts for more", () => {
    const broken = { limit, can_continue: true };
    for (const state of ["working", "starting", "lost", "ended"] as const)
      expect(standing({ ...session("a", state), ...broken })).toBe(state);
    expect(standing({ ...session("a", "idle", 0, 1), ...broken })).toBe("waiting");
  });
});
