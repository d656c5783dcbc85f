/** Approvals: every gate of the fleet that waits, oldest first. Cards stay in their place until the page is left. */
import { type ReactNode, useRef, useState } from "react";
import { Link } from "wouter";
import type { Gate } from "../api/wire.ts";
import { SessionLine } from "../fleet/SessionLine.tsx";
import { groupSessions } from "../fleet/groups.ts";
import { byAge, isOnTheWay, useFleet } from "../fleet/store.ts";
import { useKeys } from "../ui/keys.ts";
import { count } from "../ui/numbers.ts";
import { useWaiting } from "../app/attention.ts";
import { Page } from "../app/Page.tsx";
import { useOutbox } from "../outbox/outbox.ts";
import { GateCard } from "./GateCard.tsx";

export function Inbox(): ReactNode {
  const ready = useFleet(({ ready: known }) => known);
  const gates = useFleet(({ gates: known }) => known);
  const cards = useVisit(gates);
  const { count: waiting } = useWaiting();
  const wishes = useOutbox((outbox) => outbox.wishes);
  const list = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<string | null>(null);
  const current = active ?? cards.find(({ id, state }) => state === "pending" && !wishes.has(id))?.id ?? null;

  const move = (by: 1 | -1): void => {
    const at = cards.findIndex((gate) => gate.id === current);
    const next = cards[Math.min(cards.length - 1, Math.max(0, at + by))];
    if (!next) return;
    setActive(next.id);
    list.current?.querySelector(`[data-gate="${next.id}"]`)?.scrollIntoView({ block: "nearest" });
  };
  useKeys({ j: () => move(1), k: () => move(-1) });

  return (
    <Page title="Approvals" subtitle={ready ? waitingWords(waiting) : "Asking the fleet"}>
      {cards.length === 0 && ready ? <NothingWaits /> : null}
      <div ref={list} className="grid gap-4">
        {cards.map((gate) => (
          <div key={gate.id} onPointerDown={() => setActive(gate.id)} onFocus={() => setActive(gate.id)}>
            <GateCard gate={gate} active={gate.id === current} place="inbox" />
          </div>
        ))}
      </div>
    </Page>
  );
}

function waitingWords(waiting: number): string {
  return waiting === 0
    ? "Nothing waits for you"
    : `${count(waiting, "call waits", "calls wait")} for you, oldest first`;
}

/**
 * The gates of this visit: those that wait or whose decision is on its way, and those that did since the page was opened. One that is decided
 * keeps its place, so that no other comes to lie under a finger.
 */
function useVisit(gates: ReadonlyMap<string, Gate>): Gate[] {
  const [seen] = useState(() => new Set<string>());
  for (const gate of gates.values()) if (gate.state === "pending" || isOnTheWay(gate)) seen.add(gate.id);
  return [...gates.values()].filter((gate) => seen.has(gate.id)).toSorted(byAge);
}

function NothingWaits(): ReactNode {
  const sessions = useFleet(({ sessions: known }) => known);
  const working = groupSessions(sessions.values()).find(({ group }) => group === "working")?.rows ?? [];
  return (
    <div className="text-muted">
      <p>
        When an agent wants to use a tool, asks a question or shows a plan, it waits here for as long as it
        takes.
      </p>
      {sessions.size === 0 ? (
        <p className="mt-4">
          <Link href="/sessions/new" className="button button-primary">
            Start a session
          </Link>
        </p>
      ) : null}
      {working.length > 0 ? (
        <section className="mt-8">
          <h2 className="heading-small mb-1">Working now</h2>
          <ul>
            {working.map((row) => (
              <SessionLine key={row.id} row={row} current={false} />
            ))}
          </ul>
        </section>
      ) : null}
    </div>
  );
}
