/** What a person can ask of the fleet, as wishes. */
import { Refusal } from "../api/client.ts";
import { newId } from "../api/ids.ts";
import { routes } from "../api/routes.ts";
import type { Attachment, DecisionRequest, Delivery, Gate } from "../api/wire.ts";
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
    send: async (givenUp) => {
      await routes.sendMessage(session, { id, text, attachments: [...attachments], delivery }, givenUp);
      return "accepted";
    },
  });
}

/** With an id of its own: whoever answers it a second time knows that it is this decision, and not another one. */
export function decide(gate: Gate, request: DecisionRequest): Promise<void> {
  const decision = { ...request, id: newId("aud"), input_hash: gate.input_hash };
  return wish({
    id: gate.id,
    session: gate.session,
    text: gate.summary,
    send: async (givenUp): Promise<Answer> => {
      try {
        receiveGate(await routes.decide(gate.id, decision, givenUp));
        return "accepted";
      } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 409) throw error;
        // The card shows what was not known here: who was first, or that nothing is asked any more.
        receiveGate(await routes.gate(gate.id));
        if (error.code === "withdrawn" || error.code === "already_decided") return "overtaken";
        throw error;
      }
    },
  });
}
