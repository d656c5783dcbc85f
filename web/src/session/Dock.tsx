/**
 * The gate of this session that has waited longest, above the composer. What was just decided stays until another
 * waits or it has run its course, so that a person sees what came of it.
 */
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { byAge, useFleet } from "../fleet/store.ts";
import { GateCard } from "../gates/GateCard.tsx";
import type { Gate } from "../api/wire.ts";

export function Dock({ session }: { session: string }): ReactNode {
  const gates = useFleet((fleet) => fleet.gates);
  const here = [...gates.values()].filter((gate) => gate.session === session).toSorted(byAge);
  const pending = here.filter((gate) => gate.state === "pending");
  const shown = useHeld(here, pending);
  if (!shown) return null;
  const waiting = pending.length;
  return (
    <section
      aria-label="Waiting for you"
      className="shrink-0 border-t border-line bg-page px-3 pt-3 wide:px-5"
    >
      <div className="mx-auto max-h-[62dvh] max-w-[760px] overflow-y-auto overscroll-contain">
        {waiting > 1 ? (
          <p className="mb-1 text-small text-needs">
            1 of {waiting} that wait here.{" "}
            <Link href="/approvals" className="link">
              See all
            </Link>
          </p>
        ) : null}
        <GateCard key={shown.id} gate={shown} active={shown.state === "pending"} place="session" />
      </div>
    </section>
  );
}

/** Holds on to the gate that is shown until its tool has reported back and somebody else waits, or nobody does. */
function useHeld(here: readonly Gate[], pending: readonly Gate[]): Gate | null {
  const [held, setHeld] = useState<string | null>(null);
  const known = here.find((gate) => gate.id === held);
  const settled =
    !known ||
    known.state === "withdrawn" ||
    (known.state === "decided" && known.receipts.released_at !== null);
  const next = settled ? (pending[0] ?? null) : known;
  if (next && next.id !== held) setHeld(next.id);
  return next;
}
