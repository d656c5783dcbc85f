/** What a person can ask of the fleet, as wishes. */
import { Refusal } from "../api/client.ts";
import { newId } from "../api/ids.ts";
import { routes } from "../api/routes.ts";
import type { Attachment, Decision, DecisionRequest, Delivery, Gate } from "../api/wire.ts";
import { receiveGate } from "../fleet/store.ts";
import { type Answer, wish } from "./outbox.ts";

export interface Said {
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly delivery: Delivery;
}

export function say(session: string, { text, attachments, delivery }: Said): Promise<void> {
  const id = newId("cmd");
  return wish({
    id,
    session,
    text,
    send: async () => {
      await routes.sendMessage(session, { id, text, attachments: [...attachments], delivery });
      return "accepted";
    },
  });
}

/** `me` is who decides here: their own decision, whose answer was lost, is not somebody else's. */
export function decide(gate: Gate, request: DecisionRequest, me: string): Promise<void> {
  return wish({
    id: gate.id,
    session: gate.session,
    text: gate.summary,
    send: async (again): Promise<Answer> => {
      try {
        receiveGate(await routes.decide(gate.id, { ...request, input_hash: gate.input_hash }));
        return "accepted";
      } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 409) throw error;
        // The card shows what was not known here: who was first, or that nothing is asked any more.
        receiveGate(await routes.gate(gate.id));
        if (error.code === "withdrawn") return "overtaken";
        if (error.code !== "already_decided") throw error;
        return again && isSame(error.decision, request, me) ? "accepted" : "overtaken";
      }
    },
  });
}

function isSame(first: Decision | null, request: DecisionRequest, me: string): boolean {
  return (
    first?.by === me &&
    first.verdict === request.decision &&
    (first.reason ?? "") === (request.reason ?? "") &&
    JSON.stringify(first.answers ?? null) === JSON.stringify(request.answers ?? null)
  );
}
