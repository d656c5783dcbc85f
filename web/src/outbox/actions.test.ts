import { afterEach, describe, expect, it, vi } from "vitest";
import type { Decision, Gate } from "../api/wire.ts";
import { useFleet } from "../fleet/store.ts";
import { decide } from "./actions.ts";
import { forget, sendQueued, useOutbox } from "./outbox.ts";

const first: Decision = {
  verdict: "allow",
  input_hash: "00",
  by: "usr_ada",
  by_name: "Ada",
  at: "2026-03-02T12:00:00Z",
};
const conflict = {
  error: { code: "already_decided", message: "Ada was first.", hint: null, decision: first },
};

const pending: Gate = {
  id: "gat_1",
  session: "ses_1",
  session_title: "t",
  host: "vps-1",
  project: "p",
  project_name: "shop",
  branch: null,
  agent: "claude",
  kind: "tool",
  tool: "Bash",
  tool_use: "t1",
  input: {},
  truncated: false,
  input_hash: "00",
  summary: "",
  risks: [],
  questions: [],
  plan: null,
  turn: null,
  parent: null,
  opened_at: "2026-03-02T11:59:00Z",
  seq: 1,
  state: "pending",
  decision: null,
  withdrawn_reason: null,
  reminders: 0,
  reminded_at: null,
  receipts: { decided_at: null, delivered_at: null, released_at: null, finished_at: null, outcome: null },
};
const decided: Gate = {
  ...pending,
  state: "decided",
  decision: first,
  receipts: { ...pending.receipts, decided_at: first.at },
};

/** A coordinator that answers in this order; null is nobody. With the ids of the decisions that it was sent. */
function answers(...list: readonly (readonly [status: number, body: object] | null)[]): readonly unknown[] {
  const left = [...list];
  const ids: unknown[] = [];
  vi.stubGlobal("fetch", (_: string, { body }: RequestInit) => {
    if (typeof body === "string") ids.push((JSON.parse(body) as { id: unknown }).id);
    const next = left.shift();
    if (!next) return Promise.reject(new TypeError("refused"));
    return Promise.resolve(new Response(JSON.stringify(next[1]), { status: next[0] }));
  });
  return ids;
}

const stateOf = (): string | undefined => useOutbox.getState().wishes.get(pending.id)?.state;

describe("a decision", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    forget(pending.id);
    useFleet.setState({ gates: new Map() });
  });

  it("that comes second is overtaken, and the card learns who was first", async () => {
    answers([409, conflict], [200, decided]);
    await decide(pending, { decision: "deny" });
    expect(stateOf()).toBe("overtaken");
    expect(useFleet.getState().gates.get(pending.id)?.decision?.by_name).toBe("Ada");
  });

  it("of the same person elsewhere is overtaken too, also when it says the same", async () => {
    answers([409, conflict], [200, decided]);
    await decide(pending, { decision: "allow" });
    expect(stateOf()).toBe("overtaken");
  });

  it.each([
    ["refused", null],
    ["503", [503, {}]],
    ["502 of a proxy", [502, {}]],
    ["504 of a proxy", [504, {}]],
  ] as const)("that was not answered (%s) is sent again as the same decision", async (_, answer) => {
    const ids = answers(answer, [200, decided]);
    await decide(pending, { decision: "allow" });
    expect(stateOf()).toBe("queued");
    await sendQueued(Date.now());
    expect(stateOf()).toBe("accepted");
    expect(ids).toHaveLength(2);
    expect(ids[0]).toMatch(/^aud_[0-9a-f]{32}$/);
    expect(ids[1]).toBe(ids[0]);
  });

  it("about something else than was seen stays to be made", async () => {
    const changed = { error: { code: "input_changed", message: "It asks for something else.", hint: null } };
    answers([409, changed], [200, pending]);
    await decide(pending, { decision: "allow" });
    expect(stateOf()).toBe("failed");
  });
});
