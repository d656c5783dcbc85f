/** Who may see what: setup, sign-in, or the fleet. Owns the wiring of socket, stores and outbox once somebody is in. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { useLocation } from "wouter";
import { MeContext } from "../account/me.ts";
import { Setup } from "../account/Setup.tsx";
import { SignIn } from "../account/SignIn.tsx";
import { Refusal } from "../api/client.ts";
import { routes } from "../api/routes.ts";
import type { Me } from "../api/wire.ts";
import { receiveFleet } from "../fleet/store.ts";
import { sendQueued } from "../outbox/outbox.ts";
import { SessionStores } from "../session/stores.ts";
import { Socket, socketUrl } from "../stream/connect.ts";
import { Problem } from "../ui/Problem.tsx";
import { Frame } from "./Frame.tsx";
import { type Services, ServicesContext } from "./services.ts";

/** How often what nobody took is offered again. */
const RESEND_MS = 5000;

export function App(): ReactNode {
  const [location] = useLocation();
  const me = useQuery({ queryKey: ["me"], queryFn: routes.me });
  const nobody = me.error instanceof Refusal && me.error.status === 401;
  const setup = useQuery({ queryKey: ["setup"], queryFn: routes.setupStatus, enabled: nobody });

  if (me.data && !nobody) return <SignedIn key={me.data.id} me={me.data} />;
  if (nobody && (location.startsWith("/setup") || setup.data?.needed)) return <Setup />;
  if (nobody && !setup.isPending) return <SignIn />;
  if (me.error && !nobody) {
    return (
      <main className="mx-auto max-w-md p-6">
        <Problem error={me.error} retry={() => void me.refetch()} />
      </main>
    );
  }
  // A first answer is quick; words are for one that does not come.
  if (me.failureCount === 0) return null;
  return <main className="p-8 text-center text-muted">The coordinator does not answer; trying again.</main>;
}

function SignedIn({ me }: { me: Me }): ReactNode {
  const [services] = useState(connect);
  const queries = useQueryClient();
  useEffect(() => {
    const { socket } = services;
    const sendIfLive = (): void => {
      const { link } = socket.current();
      if (link.phase === "live") void sendQueued(link.since);
    };
    const timer = window.setInterval(sendIfLive, RESEND_MS);
    const stop = socket.subscribe(() => {
      sendIfLive();
      // A refused socket looks like a lost one: asking who is here tells them apart.
      if (socket.current().link.phase === "reconnecting")
        void queries.invalidateQueries({ queryKey: ["me"] });
    });
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [services, queries]);
  return (
    <MeContext value={me}>
      <ServicesContext value={services}>
        <Frame />
      </ServicesContext>
    </MeContext>
  );
}

/** One for the life of the tab: a tree that is drawn twice must not connect twice. */
let connected: Services | null = null;

function connect(): Services {
  if (connected) return connected;
  const socket = new Socket(socketUrl(window.location));
  socket.watchFleet(receiveFleet);
  socket.start();
  connected = { socket, stores: new SessionStores(socket) };
  return connected;
}
