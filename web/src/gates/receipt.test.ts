import { describe, expect, it } from "vitest";
import type { Decision, Gate } from "../api/wire.ts";
import type { Wish } from "../outbox/outbox.ts";
import { sentence, stepsOf } from "./receipt.ts";

const at = "2026-03-02T12:00:00Z";
const decision: Decision = { verdict: "allow", input_hash: "00", by: "usr_ada", by_name: "Ada", at };
const none = { decided_at: null, delivered_at: null, released_at: null, finished_at: null, outcome: null };
// A gate with what a receipt reads of it.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const pending = { host: "vps-2", state: "pending", decision: null, receipts: none } as unknown as Gate;
const decided: Gate = { ...pending, state: "decided", decision, receipts: { ...none, decided_at: at } };
const silence = { since: "", sentence: "vps-2 has not been heard for 40 s", title: "" };

const wished = (state: Wish["state"]): Wish => ({
  id: "gate_1",
  session: "ses_1",
  text: "",
  at,
  state,
  error: null,
  send: () => Promise.resolve("accepted"),
});
const filled = (gate: Gate, wish: Wish | null): string[] =>
  stepsOf(gate, wish)
    .filter((step) => step.at !== null)
    .map(({ word }) => word);

describe("a decision", () => {
  it("is not shown as sent before the coordinator has it", () => {
    for (const state of ["sending", "queued", "failed"] as const) {
      expect(filled(pending, wished(state))).toEqual([]);
    }
    expect(sentence(pending, wished("sending"), "usr_ada", null)).toBe("Sending; nobody has it yet.");
    expect(filled(pending, wished("accepted"))).toEqual(["sent"]);
  });

  it("is not shown as delivered before the runner has it, nor as run before the tool said so", () => {
    expect(filled(decided, null)).toEqual(["sent", "decided"]);
    const delivered = { ...decided, receipts: { ...decided.receipts, delivered_at: at, released_at: at } };
    expect(filled(delivered, null)).toEqual(["sent", "decided", "delivered"]);
    expect(sentence(delivered, null, "usr_ada", null)).toContain("the tool has not reported back");
    const ran: Gate = {
      ...delivered,
      receipts: { ...delivered.receipts, finished_at: at, outcome: "succeeded" },
    };
    expect(filled(ran, null)).toEqual(["sent", "decided", "delivered", "ran"]);
  });

  it("for a silent host says since when it is silent", () => {
    expect(sentence(decided, null, "usr_ada", null)).toBe("Allowed by you. On its way to vps-2.");
    expect(sentence(decided, null, "usr_ben", silence)).toBe(
      "Allowed by Ada. On its way; vps-2 has not been heard for 40 s.",
    );
  });

  it("that nobody took is no denial", () => {
    const gone: Gate = { ...pending, state: "withdrawn", withdrawn_reason: "the agent is gone" };
    expect(sentence(gone, null, "usr_ada", null)).toBe("No longer asked: the agent is gone. Nobody said no.");
  });
});
