/**
 * One session as this tab holds it: the log it has folded, kept in step with the socket. Owns queueing, resyncing and
 * paging; the folding itself is `reduce`'s. Components read it through `useSyncExternalStore`.
 */
import { knownEvent } from "../api/decode.ts";
import { routes } from "../api/routes.ts";
import type { EventRow, SessionRow } from "../api/wire.ts";
import { heard, passedOver } from "../outbox/heard.ts";
import type { SessionFrame, SessionWatcher, Socket } from "../stream/connect.ts";
import { FrameQueue } from "../stream/frame.ts";
import { emptyLog, fold, foldLives, type SessionLog } from "./reduce.ts";

export interface SessionView {
  /** Null until the first answer. */
  readonly log: SessionLog | null;
  readonly row: SessionRow | null;
  readonly older: "none" | "more" | "loading" | "failed";
  /** The last event that was here before this tab was away; null when it never was, or missed too little to say so. */
  readonly leftOff: number | null;
  /** Counts how often the log began anew: what was on the page then is gone, and the end is shown. */
  readonly begun: number;
  /** Why the session cannot be shown. */
  readonly problem: string | null;
}

/** A hole that comes back is asked about no more often than this. */
const RESYNC_MS_MIN = 2000;
const PAGE_EVENTS = 300;
/** On the way back to where one left off: as much as the coordinator gives at once. */
const PAGE_EVENTS_MAX = 1000;
/** A reconnect that missed less than this was no absence: a mark would only be noise. */
const ABSENCE_EVENTS_MIN = 30;

export class SessionStore implements SessionWatcher {
  readonly id: string;
  private readonly socket: Socket;
  private view: SessionView = {
    log: null,
    row: null,
    older: "none",
    leftOff: null,
    begun: 0,
    problem: null,
  };
  /** Everything held, as it came: older events are put before it and the whole is folded again. */
  private events: EventRow[] = [];
  private resyncedAt = 0;
  private resyncTimer = 0;
  private readonly queue = new FrameQueue<SessionFrame>((frames) => this.take(frames));
  private readonly listeners = new Set<() => void>();
  private unwatch: (() => void) | null = null;
  /** The last event of the visit before this one. */
  private left: number | null = null;

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

  /** Loads what lies between the page and where this tab left off, and folds it at once. */
  async backToLeftOff(): Promise<void> {
    const { log, leftOff, older } = this.view;
    if (!log || leftOff === null || log.from <= leftOff || older === "loading") return;
    this.show({ older: "loading" });
    try {
      const missed: EventRow[] = [];
      for (let before = log.from; before > leftOff;) {
        // Each page is asked for from where the one before it ended.
        // oxlint-disable-next-line no-await-in-loop
        const rows = await this.pageBefore(before, PAGE_EVENTS_MAX);
        const first = rows[0];
        if (!first) break;
        missed.unshift(...rows);
        before = first.seq;
      }
      this.prepend(missed);
    } catch {
      this.show({ older: "failed" });
    }
  }

  async loadOlder(): Promise<void> {
    const { log, older } = this.view;
    if (!log || older === "loading" || older === "none") return;
    this.show({ older: "loading" });
    try {
      this.prepend(await this.pageBefore(log.from, PAGE_EVENTS));
    } catch {
      this.show({ older: "failed" });
    }
  }

  private async pageBefore(before: number, limit: number): Promise<EventRow[]> {
    const { items } = await routes.olderEvents(this.id, before, limit);
    return items.toSorted((one, other) => one.seq - other.seq);
  }

  private rest(): void {
    if (this.listeners.size > 0) return;
    this.unwatch?.();
    this.unwatch = null;
    this.left = this.cursor();
  }

  private take(frames: readonly SessionFrame[]): void {
    let { log, row, leftOff, begun } = this.view;
    for (const frame of frames) {
      switch (frame.type) {
        case "subscribed": {
          row = frame.row;
          leftOff = this.leftOff(frame, log, leftOff);
          if (frame.reset || !log) {
            log = emptyLog(frame.from - 1);
            this.events = [];
            begun += 1;
            passedOver(
              this.id,
              frame.row.undelivered.map(({ id }) => id),
            );
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
    this.show({ log, row, leftOff, begun, older: olderOf(log, this.view.older), problem: null });
  }

  /** Where the reader was before what this frame brings: before the page was left, or before the link was lost. */
  private leftOff(
    frame: Extract<SessionFrame, { type: "subscribed" }>,
    log: SessionLog | null,
    known: number | null,
  ): number | null {
    const left = this.left;
    this.left = null;
    if (!log) return known;
    const missed = frame.to - log.cursor;
    if (left !== null && missed > 0) return left;
    return missed >= ABSENCE_EVENTS_MIN ? log.cursor : known;
  }

  private append(log: SessionLog, rows: readonly EventRow[]): SessionLog {
    const folded = fold(log, rows);
    if (folded.hole) this.resync();
    else {
      const fresh = rows.filter((row) => row.seq > log.cursor);
      this.events.push(...fresh);
      for (const event of fresh.map(knownEvent)) {
        if (event?.type === "message.user") heard(event.data.command);
      }
    }
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
