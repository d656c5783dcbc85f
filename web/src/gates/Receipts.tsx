/** How far a decision has come: four dots that fill, with their moments on hover, and one honest sentence. */
import type { ReactNode } from "react";
import type { Gate } from "../api/wire.ts";
import { useSilence } from "../hosts/silence.ts";
import type { Wish } from "../outbox/outbox.ts";
import { Steps } from "../ui/Steps.tsx";
import { sentence, stepsOf } from "./receipt.ts";

interface ReceiptsProps {
  gate: Gate;
  /** What was asked for from this tab, if it was. */
  wish: Wish | null;
  /** The person who looks. */
  me: string;
}

export function Receipts({ gate, wish, me }: ReceiptsProps): ReactNode {
  const silence = useSilence(gate.host);
  return (
    <div>
      <Steps steps={stepsOf(gate, wish)} />
      <p className="mt-1 text-small text-muted" title={silence?.title}>
        {sentence(gate, wish, me, silence)}
      </p>
    </div>
  );
}
