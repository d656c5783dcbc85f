/** The column at the left: the three places, who has waited longest, and all sessions. */
import { Keyboard, Plus } from "lucide-react";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { SessionList } from "../fleet/SessionList.tsx";
import { useFleet } from "../fleet/store.ts";
import { useWaiting } from "./attention.ts";
import { Account } from "./Account.tsx";
import { Badge } from "./Badge.tsx";
import { OldestWaiting } from "./OldestWaiting.tsx";
import { places } from "./places.ts";

interface SideColumnProps {
  session: string | null;
  onHelp: () => void;
}

export function SideColumn({ session, onHelp }: SideColumnProps): ReactNode {
  const [location] = useLocation();
  const { count } = useWaiting();
  const silent = useFleet(
    ({ hosts }) => [...hosts.values()].filter(({ state }) => state === "silent").length,
  );
  return (
    <div className="flex w-[304px] shrink-0 flex-col border-r border-line bg-panel broad:w-[336px]">
      <header className="flex items-center gap-2 px-5 pt-4 pb-2">
        <img src="/mark.svg" alt="" width="20" height="20" />
        <span className="grow text-large font-semibold">Flotilla</span>
        <Link href="/sessions/new" className="button-quiet" title="New session (c)">
          <Plus size={16} aria-hidden />
          New
        </Link>
      </header>
      <nav aria-label="Places" className="px-2.5">
        {places.map(({ href, title, icon: Icon }) => (
          <Link
            key={href}
            href={href}
            aria-current={location.startsWith(href) ? "page" : undefined}
            className={`flex min-h-9 items-center gap-2.5 rounded px-2.5 ${
              location.startsWith(href) ? "bg-hover font-medium" : "text-muted hover:bg-hover hover:text-text"
            }`}
          >
            <Icon size={16} aria-hidden />
            <span className="grow">{title}</span>
            {href === "/approvals" ? <Badge count={count} /> : null}
            {href === "/hosts" && silent > 0 ? (
              <span className="text-small text-bad">{silent} silent</span>
            ) : null}
          </Link>
        ))}
        <OldestWaiting className="mt-2" />
      </nav>
      <nav
        aria-label="All sessions"
        className="mt-3 min-h-0 grow overflow-y-auto overscroll-contain border-t border-line px-2.5 pt-3"
      >
        <SessionList current={session} />
      </nav>
      <footer className="flex items-center gap-1 border-t border-line px-3 py-2">
        <Account />
        <button type="button" className="button-quiet" onClick={onHelp} title="Keys (?)">
          <Keyboard size={14} aria-hidden />
          Keys
        </button>
      </footer>
    </div>
  );
}
