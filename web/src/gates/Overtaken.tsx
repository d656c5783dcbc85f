/** Of a tap that came second: said before all else, since what happens may be the opposite of it. */
import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import type { Gate } from "../api/wire.ts";
import { useNow } from "../ui/clock.ts";
import { clockTime } from "../ui/time.ts";
import { verdictWords } from "./receipt.ts";

export function Overtaken({ gate, me }: { gate: Gate; me: string }): ReactNode {
  const now = useNow();
  const { decision } = gate;
  return (
    <p
      role="alert"
      className="mb-2 flex items-start gap-2 rounded bg-needs-soft px-3 py-2 text-small text-needs"
    >
      <CircleAlert size={16} aria-hidden className="mt-px shrink-0" />
      <span>
        {decision ? (
          <b className="font-semibold">
            Already {verdictWords[decision.verdict].toLowerCase()} by{" "}
            {decision.by === me ? "you, elsewhere," : decision.by_name} at {clockTime(decision.at, now)}.{" "}
          </b>
        ) : (
          <b className="font-semibold">No longer asked. </b>
        )}
        Your decision came too late and changed nothing.
      </span>
    </p>
  );
}
