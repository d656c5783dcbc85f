/** What lives as long as the tab: the socket, and the sessions it has looked at. */
import { createContext, use, useSyncExternalStore } from "react";
import type { SessionStores } from "../session/stores.ts";
import type { SessionView } from "../session/store.ts";
import type { Connection, Socket } from "../stream/connect.ts";

export interface Services {
  readonly socket: Socket;
  readonly stores: SessionStores;
}

export const ServicesContext = createContext<Services | null>(null);

export function useServices(): Services {
  const services = use(ServicesContext);
  if (!services) throw new Error("Nobody is signed in here.");
  return services;
}

export function useConnection(): Connection {
  const { socket } = useServices();
  return useSyncExternalStore(socket.subscribe, socket.current);
}

export function useSession(id: string): SessionView {
  const store = useServices().stores.of(id);
  return useSyncExternalStore(store.subscribe, store.current);
}
