/** The list of sessions as a page of its own, on a phone. */
import { Plus } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { OldestWaiting } from "../app/OldestWaiting.tsx";
import { ConnectionLine } from "../app/ConnectionLine.tsx";
import { NewSession } from "../session/NewSession.tsx";
import { SessionList } from "./SessionList.tsx";
import { useFleet } from "./store.ts";

export function SessionsPage(): ReactNode {
  const ready = useFleet((fleet) => fleet.ready);
  const empty = useFleet((fleet) => fleet.sessions.size === 0);
  // No session yet: what one would do next is start one.
  if (ready && empty) return <NewSession />;
  return (
    <main className="flex h-full flex-col">
      <header className="relative flex min-h-[63px] shrink-0 items-center border-b border-line px-4 py-2">
        <h1 className="grow text-large font-semibold">Sessions</h1>
        <Link href="/sessions/new" className="button">
          <Plus size={16} aria-hidden />
          New
        </Link>
        <ConnectionLine />
      </header>
      <div className="min-h-0 grow overflow-y-auto overscroll-contain px-2 pt-7 pb-6">
        <OldestWaiting className="mb-3" />
        <SessionList current={null} />
      </div>
    </main>
  );
}
