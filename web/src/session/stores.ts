/** The sessions this tab has looked at lately: going back to one costs what happened since, not the whole of it. */
import type { Socket } from "../stream/connect.ts";
import { SessionStore } from "./store.ts";

const KEPT_MAX = 12;

export class SessionStores {
  private readonly stores = new Map<string, SessionStore>();
  private readonly socket: Socket;

  constructor(socket: Socket) {
    this.socket = socket;
  }

  of(session: string): SessionStore {
    const store = this.stores.get(session) ?? new SessionStore(session, this.socket);
    // The one just used goes to the end; the one used longest ago is first.
    this.stores.delete(session);
    this.stores.set(session, store);
    for (const old of this.stores.keys()) {
      if (this.stores.size <= KEPT_MAX) break;
      this.stores.delete(old);
    }
    return store;
  }
}
