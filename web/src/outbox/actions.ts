/** What a person can ask of the fleet, as wishes. */
import { Refusal } from "../api/client.ts";
import { newId } from "../api/ids.ts";
import { routes } from "../api/routes.ts";
import type { Attachment, DecisionRequest, Delivery, Gate } from "../api/wire.ts";
import { receiveGate } from "../fleet/store.ts";
import { wish } from "./outbox.ts";

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
    },
  });
}

export function decide(gate: Gate, request: DecisionRequest): Promise<void> {
  return wish({
    id: gate.id,
    session: gate.session,
    text: gate.summary,
    send: async () => {
      try {
        receiveGate(await routes.decide(gate.id, { ...request, input_hash: gate.input_hash }));
      } catch (error) {
        if (!(error instanceof Refusal) || error.code !== "already_decided") throw error;
        // Somebody was first, perhaps this very request before its answer was lost. The gate says who.
        receiveGate(await routes.gate(gate.id));
      }
    },
  });
}
