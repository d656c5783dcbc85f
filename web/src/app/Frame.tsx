/** Three places, one frame: a column with the list where there is room for it, a bar at the foot where there is not. */
import { type ReactNode, useState } from "react";
import { Redirect, Route, Switch, useLocation, useRoute } from "wouter";
import { useFleet } from "../fleet/store.ts";
import { Inbox } from "../gates/Inbox.tsx";
import { HostsPage } from "../hosts/HostsPage.tsx";
import { NewSession } from "../session/NewSession.tsx";
import { SessionPage } from "../session/SessionPage.tsx";
import { SessionsPage } from "../fleet/SessionsPage.tsx";
import { useKeys } from "../ui/keys.ts";
import { useWide } from "../ui/media.ts";
import { useAttention } from "./attention.ts";
import { BottomBar } from "./BottomBar.tsx";
import { Help } from "./Help.tsx";
import { SideColumn } from "./SideColumn.tsx";

export function Frame(): ReactNode {
  const wide = useWide();
  const [, navigate] = useLocation();
  const [, session] = useRoute("/sessions/:id");
  const [help, setHelp] = useState(false);
  const count = useAttention();
  useKeys({
    "?": () => setHelp(!help),
    c: () => navigate("/sessions/new"),
    // While it is open alone: what a page has open closes with the same key.
    ...(help ? { Escape: () => setHelp(false) } : {}),
  });
  const open = session && session.id !== "new" ? session.id : null;
  return (
    <div className="flex h-dvh flex-col pt-[env(safe-area-inset-top)]">
      <div aria-live="polite" className="sr-only">
        {count > 0 ? `${count} waiting for you` : ""}
      </div>
      <div className="flex min-h-0 grow">
        {wide ? <SideColumn session={open} onHelp={() => setHelp(!help)} /> : null}
        <div className="relative min-w-0 grow">
          <Places wide={wide} />
          {help ? <Help onClose={() => setHelp(false)} /> : null}
        </div>
      </div>
      {wide || open ? null : <BottomBar />}
    </div>
  );
}

function Places({ wide }: { wide: boolean }): ReactNode {
  return (
    <Switch>
      <Route path="/approvals">
        <Inbox />
      </Route>
      <Route path="/sessions">{wide ? <NewSession /> : <SessionsPage />}</Route>
      <Route path="/sessions/new">
        <NewSession />
      </Route>
      <Route path="/sessions/:id">{({ id }) => <SessionPage key={id} id={id} />}</Route>
      <Route path="/hosts">
        <HostsPage />
      </Route>
      <Route>
        <Home />
      </Route>
    </Switch>
  );
}

/** Who needs me comes first; with no session at all, starting one does. */
function Home(): ReactNode {
  const ready = useFleet((fleet) => fleet.ready);
  const empty = useFleet((fleet) => fleet.sessions.size === 0);
  if (!ready) return null;
  return <Redirect to={empty ? "/sessions/new" : "/approvals"} replace />;
}
