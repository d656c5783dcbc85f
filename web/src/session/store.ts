/**
 * One session as this tab holds it: the log it has folded, kept in step with the socket. Owns queueing, resyncing and
 * paging; the folding itself is `reduce`'s. Components read it through `useSyncExternalStore`.
 */
import { routes } from "../api/routes.ts";
import type { EventRow, SessionRow } from "../api/wire.ts";
import type { SessionFrame, SessionWatcher, Socket } from "../stream/connect.ts";
import { FrameQueue } from "../stream/frame.ts";
import { emptyLog, fold, foldLives, type SessionLog } from "./reduce.ts";

export interface SessionView {
  /** Null until the first answer. */
  readonly log: SessionLog | null;
  readonly row: SessionRow | null;
  readonly older: "none" | "more" | "loading" | "failed";
  /** Why the session cannot be shown. */
  readonly problem: string | null;
}

/** A hole that comes back is asked about no more often than this. */
const RESYNC_MS_MIN = 2000;
const PAGE_EVENTS = 300;

export class SessionStore implements SessionWatcher {
  readonly id: string;
  private readonly socket: Socket;
  private view: SessionView = { log: null, row: null, older: "none", problem: null };
  /** Everything held, as it came: older events are put before it and the whole is folded again. */
  private events: EventRow[] = [];
  private resyncedAt = 0;
  private resyncTimer = 0;
  private readonly queue = new FrameQueue<SessionFrame>((frames) => this.take(frames));
  private readonly listeners = new Set<() => void>();
  private unwatch: (() => void) | null = null;

  constructor(id: string, socket: Socket) {
    this.id = id;
    this.socket = socket;
  }

  readonly current = (): SessionView => this.view;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    this.unwatch ??= this.socket.watchSession(this.id, this);
    return () => {
      this.listeners.delete(listener);
      // Put off, because a list that is drawn anew lets go and takes hold again in one breath.
      setTimeout(() => this.rest());
    };
  };

  cursor(): number | null {
    return this.view.log?.cursor ?? null;
  }

  receive(frame: SessionFrame): void {
    this.queue.push(frame);
  }

  refused(message: string): void {
    this.show({ problem: message });
  }

  async loadOlder(): Promise<void> {
    const { log, older } = this.view;
    if (!log || older === "loading" || older === "none") return;
    this.show({ older: "loading" });
    try {
      const page = await routes.olderEvents(this.id, log.from, PAGE_EVENTS);
      this.prepend(page.items.toSorted((one, other) => one.seq - other.seq));
    } catch {
      this.show({ older: "failed" });
    }
  }

  private rest(): void {
    if (this.listeners.size > 0) return;
    this.unwatch?.();
    this.unwatch = null;
  }

  private take(frames: readonly SessionFrame[]): void {
    let { log, row } = this.view;
    for (const frame of frames) {
      switch (frame.type) {
        case "subscribed": {
          row = frame.row;
          if (frame.reset || !log) {
            log = emptyLog(frame.from - 1);
            this.events = [];
          }
          // What is being written stays until it is told anew, whole so far: a coordinator that has just begun does
          // not know it yet, and what became of it meanwhile is in the tail.
          log = this.append(log, frame.tail);
          log = foldLives(log, frame.live);
          break;
        }
        case "events":
          if (log) log = this.append(log, frame.events);
          break;
        case "live":
          if (log) log = foldLives(log, frame.live);
          break;
      }
    }
    this.show({ log, row, older: olderOf(log, this.view.older), problem: null });
  }

  private append(log: SessionLog, rows: readonly EventRow[]): SessionLog {
    const folded = fold(log, rows);
    if (folded.hole) this.resync();
    else this.events.push(...rows.filter((row) => row.seq > log.cursor));
    return folded.log;
  }

  private prepend(rows: readonly EventRow[]): void {
    const { log } = this.view;
    if (!log) return;
    const older = rows.filter((row) => row.seq < log.from);
    const first = older[0];
    if (!first) return this.show({ older: "none" });
    const whole = [...older, ...this.events];
    const { log: rebuilt, hole } = fold(emptyLog(first.seq - 1), whole);
    if (hole) return this.show({ older: "failed" });
    this.events = whole;
    this.show({ log: { ...rebuilt, partials: log.partials }, older: first.seq > 1 ? "more" : "none" });
  }

  /** At once, unless that was just tried: a hole that stays must not become a loop. */
  private resync(): void {
    if (this.resyncTimer !== 0) return;
    const wait = Math.max(0, this.resyncedAt + RESYNC_MS_MIN - Date.now());
    this.resyncTimer = window.setTimeout(() => {
      this.resyncTimer = 0;
      this.resyncedAt = Date.now();
      this.socket.resync(this.id);
    }, wait);
  }

  private show(change: Partial<SessionView>): void {
    this.view = { ...this.view, ...change };
    for (const listener of this.listeners) listener();
  }
}

function olderOf(log: SessionLog | null, known: SessionView["older"]): SessionView["older"] {
  if (!log || log.from <= 1) return "none";
  return known === "none" ? "more" : known;
}
