/** The list of sessions as a page of its own, on a phone. */
import { Plus } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { OldestWaiting } from "../app/OldestWaiting.tsx";
import { NewSession } from "../session/NewSession.tsx";
import { SessionList } from "./SessionList.tsx";
import { useFleet } from "./store.ts";

export function SessionsPage(): ReactNode {
  const ready = useFleet((fleet) => fleet.ready);
  const empty = useFleet((fleet) => fleet.sessions.size === 0);
  // No session yet: what one would do next is start one.
  if (ready && empty) return <NewSession />;
  return (
    <main className="h-full overflow-y-auto overscroll-contain px-2 pb-6">
      <header className="flex items-center px-2.5 pt-4 pb-2">
        <h1 className="grow text-title font-semibold">Sessions</h1>
        <Link href="/sessions/new" className="button">
          <Plus size={16} aria-hidden />
          New
        </Link>
      </header>
      <OldestWaiting className="mb-3" />
      <SessionList current={null} />
    </main>
  );
}
