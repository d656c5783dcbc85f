/**
 * The gate of this session that has waited longest, above the composer. What was just decided stays for a moment, so
 * that a person sees what came of it and no second tap falls on the next.
 */
import { type ReactNode, useEffect, useState } from "react";
import { Link } from "wouter";
import type { Gate } from "../api/wire.ts";
import { byAge, isOnTheWay, useFleet } from "../fleet/store.ts";
import { useOutbox } from "../outbox/outbox.ts";
import { GateCard } from "../gates/GateCard.tsx";

/** How long a decided card is shown before the next takes its place. One that says no is closed by hand. */
const SHOWN_MS = 1200;

export function Dock({ session }: { session: string }): ReactNode {
  const gates = useFleet((fleet) => fleet.gates);
  const here = [...gates.values()].filter((gate) => gate.session === session).toSorted(byAge);
  const pending = here.filter((gate) => gate.state === "pending");
  const wishes = useOutbox((outbox) => outbox.wishes);
  const isOvertaken = ({ id }: Gate): boolean => wishes.get(id)?.state === "overtaken";
  const [shown, release] = useHeld(here, pending, isOvertaken);
  if (!shown) return null;
  return (
    <section
      aria-label="Waiting for you"
      className="shrink-0 border-t border-line bg-page px-3 pt-3 wide:px-5"
    >
      <div className="mx-auto max-w-[760px]">
        {pending.length > 1 ? (
          <p className="mb-1 text-small text-needs">
            1 of {pending.length} that wait here.{" "}
            <Link href="/approvals" className="link">
              See all
            </Link>
          </p>
        ) : null}
        <GateCard
          key={shown.id}
          gate={shown}
          active={shown.state === "pending"}
          place="session"
          onClose={isOvertaken(shown) ? release : null}
        />
      </div>
    </section>
  );
}

/** The gate that is shown: the oldest that waits, for a moment the one that did, else one whose decision is on its way. */
function useHeld(
  here: readonly Gate[],
  pending: readonly Gate[],
  isOvertaken: (gate: Gate) => boolean,
): readonly [gate: Gate | null, release: () => void] {
  const [held, setHeld] = useState<string | null>(null);
  const known = here.find((gate) => gate.id === held) ?? null;
  const next = known ?? pending[0] ?? here.find(isOnTheWay) ?? null;
  if (next && next.id !== held) setHeld(next.id);

  // One whose host is silent may be on its way for long: it makes room for what a person can decide meanwhile.
  const past = known !== null && (hasArrived(known) || (known.decision !== null && pending.length > 0));
  const settled = known !== null && past && !isOvertaken(known) ? known.id : null;
  useEffect(() => {
    if (settled === null) return;
    const timer = setTimeout(() => setHeld((gate) => (gate === settled ? null : gate)), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [settled]);
  return [next, () => setHeld(null)];
}

function hasArrived({ state, receipts }: Gate): boolean {
  return state === "withdrawn" || receipts.released_at !== null || receipts.finished_at !== null;
}
