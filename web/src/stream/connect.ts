/**
 * The one WebSocket of this tab. Owns connecting, the heartbeat and the list of what is watched, which is asked for
 * again from its cursor after every reconnect. Knows no session's content: frames go to whoever watches.
 */
import { decodeFrame } from "../api/decode.ts";
import type { SocketDown, SocketUp, Status } from "../api/wire.ts";
import { begin, HEARTBEAT_MS, type Effect, type Input, type Link, step } from "./machine.ts";

/** How the tab stands with the coordinator, and the coordinator with the fleet. */
export interface Connection {
  readonly link: Link;
  /** Null until the first hello. */
  readonly status: Status | null;
  readonly version: string | null;
}

export type SessionFrame = Extract<SocketDown, { type: "subscribed" | "events" | "live" }>;
export type FleetFrame = Extract<SocketDown, { type: "fleet" }>;

export interface SessionWatcher {
  /** The last seq that is here; null = none, send the tail. */
  cursor(): number | null;
  receive(frame: SessionFrame): void;
  refused(message: string): void;
}

const TICK_MS = 500;

export class Socket {
  private readonly url: string;
  private socket: WebSocket | null = null;
  private connection: Connection;
  private readonly sessions = new Map<string, SessionWatcher>();
  private fleet: ((frame: FleetFrame) => void) | null = null;
  private readonly listeners = new Set<() => void>();

  constructor(url: string) {
    this.url = url;
    const { link } = begin(Date.now());
    this.connection = { link, status: null, version: null };
  }

  /** Connects, and stays connected until the page is gone. */
  start(): void {
    this.perform(["open"]);
    window.setInterval(() => this.feed({ type: "tick" }), TICK_MS);
    window.addEventListener("online", () => this.feed({ type: "network", online: true }));
    window.addEventListener("offline", () => this.feed({ type: "network", online: false }));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.feed({ type: "shown" });
    });
  }

  readonly current = (): Connection => this.connection;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  watchFleet(receive: (frame: FleetFrame) => void): void {
    this.fleet = receive;
    this.send({ type: "subscribe_fleet" });
  }

  watchSession(session: string, watcher: SessionWatcher): () => void {
    this.sessions.set(session, watcher);
    this.ask(session, watcher);
    return () => {
      if (this.sessions.get(session) !== watcher) return;
      this.sessions.delete(session);
      this.send({ type: "unsubscribe", session });
    };
  }

  /** Asks for a session anew from its cursor: something between was lost. */
  resync(session: string): void {
    const watcher = this.sessions.get(session);
    if (watcher) this.ask(session, watcher);
  }

  private ask(session: string, watcher: SessionWatcher): void {
    const after = watcher.cursor();
    this.send({ type: "subscribe", session, ...(after === null ? {} : { after }) });
  }

  /** What cannot be sent now is asked for again at the next hello. */
  private send(frame: SocketUp): void {
    if (this.connection.link.phase === "live" && this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(JSON.stringify(frame));
    }
  }

  private feed(input: Input): void {
    const { link, effects } = step(this.connection.link, input, { now: Date.now(), chance: Math.random() });
    const changed = link.phase !== this.connection.link.phase;
    this.connection = { ...this.connection, link };
    this.perform(effects);
    if (changed) this.tell();
  }

  private perform(effects: readonly Effect[]): void {
    for (const effect of effects) this.performOne[effect]();
  }

  private readonly performOne: Record<Effect, () => void> = {
    open: () => this.open(),
    close: () => this.abandon(),
    ping: () => this.send({ type: "ping" }),
  };

  private open(): void {
    this.abandon();
    const socket = new WebSocket(this.url);
    this.socket = socket;
    // What an abandoned socket still says is dropped here, in one place.
    const current = (): boolean => this.socket === socket;
    socket.addEventListener("message", ({ data }) => {
      if (current()) this.receive(decodeFrame(data));
    });
    socket.addEventListener("close", () => {
      if (!current()) return;
      this.socket = null;
      this.feed({ type: "closed" });
    });
  }

  private abandon(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private receive(frame: SocketDown | null): void {
    // A frame of a newer coordinator is a sign of life all the same.
    this.feed({ type: "heard" });
    switch (frame?.type) {
      case "hello":
        return this.greet(frame);
      case "status":
        return this.setStatus(frame.status);
      case "fleet":
        return this.fleet?.(frame);
      case "subscribed":
      case "events":
      case "live":
        return this.sessions.get(frame.session)?.receive(frame);
      case "error":
        return this.sessions.get(frame.session ?? "")?.refused(frame.error.message);
      case "pong":
      case "closing":
      case undefined:
        return;
    }
  }

  private greet(hello: Extract<SocketDown, { type: "hello" }>): void {
    this.connection = { ...this.connection, status: hello.status, version: hello.version };
    this.feed({ type: "hello", heartbeatMs: hello.heartbeat_ms || HEARTBEAT_MS });
    if (this.fleet) this.send({ type: "subscribe_fleet" });
    for (const [session, watcher] of this.sessions) this.ask(session, watcher);
  }

  private setStatus(status: Status): void {
    this.connection = { ...this.connection, status };
    this.tell();
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

export function socketUrl(location: Location): string {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/api/socket`;
}
