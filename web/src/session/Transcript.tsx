/**
 * The transcript, drawn only where it is seen. Follows the end while one is there, holds still while one reads, and
 * brings older parts when one comes to the beginning.
 */
import { useVirtualizer, type Virtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp } from "lucide-react";
import { type ReactNode, type RefObject, useEffect, useMemo, useRef, useState } from "react";
import { useServices } from "../app/services.ts";
import type { SessionRow } from "../api/wire.ts";
import { Retrying } from "./Retrying.tsx";
import { RowView } from "./RowView.tsx";
import type { SessionLog } from "./reduce.ts";
import { brokenOff, type Row, rowsOf } from "./rows.ts";
import type { SessionView } from "./store.ts";

interface TranscriptProps {
  id: string;
  view: SessionView;
  row: SessionRow | null;
}

/** Nearer than this to the end counts as being there. */
const END_PX = 60;
/** Nearer than this to the beginning asks for what is before it. */
const BEGINNING_PX = 400;

export function Transcript({ id, view, row }: TranscriptProps): ReactNode {
  const { log, older } = view;
  const said = useMemo(() => (log ? rowsOf(log) : []), [log]);
  const rows = useMemo(() => [...said, ...brokenOff(said, row)], [said, row]);
  const store = useServices().stores.of(id);
  const scroller = useRef<HTMLElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => estimates[rows[index]?.kind ?? "item"],
    getItemKey: (index) => rows[index]?.key ?? index,
    overscan: 8,
    paddingStart: older === "none" ? 16 : 48,
    paddingEnd: 16,
    anchorTo: "end",
    followOnAppend: true,
    scrollEndThreshold: END_PX,
  });
  const begun = rows.length > 0;
  const [atEnd, setAtEnd] = useEndInSight(scroller, virtual, begun ? view.begun : 0);
  const mark = leftOffRow(rows, log, view.leftOff);
  const seen = useSeen(view.leftOff, mark, virtual);
  const goBack = useGoBack(virtual, mark, () => store.backToLeftOff());

  const onScroll = (): void => {
    const element = scroller.current;
    if (!element) return;
    setAtEnd(isAtEnd(element));
    if (element.scrollTop < BEGINNING_PX && older === "more") void store.loadOlder();
  };

  return (
    <div className="relative min-h-0 grow">
      {/* Scrolls, so the keyboard must reach it. */}
      <section
        ref={scroller}
        onScroll={onScroll}
        tabIndex={0}
        aria-label="Transcript"
        className="h-full overflow-y-auto overscroll-contain px-3 wide:px-5"
      >
        <h2 className="sr-only">Transcript</h2>
        {log && !begun ? <Beginning row={row} /> : null}
        <div className="relative mx-auto max-w-[760px]" style={{ height: virtual.getTotalSize() }}>
          <Older state={older} onAsk={() => void store.loadOlder()} />
          {virtual.getVirtualItems().map((item) => {
            const shown = rows[item.index];
            return shown ? (
              <div
                key={item.key}
                data-index={item.index}
                ref={virtual.measureElement}
                className="absolute inset-x-0 top-0"
                style={{ transform: `translateY(${item.start}px)` }}
              >
                <RowView row={shown} session={id} />
                {item.index === mark && item.index < rows.length - 1 ? <LeftOff /> : null}
              </div>
            ) : null;
          })}
        </div>
        {log?.facts.retry ? <Retrying retry={log.facts.retry} /> : null}
      </section>
      <Announcements rows={rows} />
      {begun && view.leftOff !== null && !seen ? (
        <button
          type="button"
          className="button absolute top-3 right-4 shadow-md"
          disabled={older === "loading"}
          onClick={goBack}
        >
          <ArrowUp size={16} aria-hidden />
          {older === "loading" ? "Loading what you missed" : "Where you left off"}
        </button>
      ) : null}
      {begun && !atEnd ? (
        <button
          type="button"
          className="button absolute right-4 bottom-3 shadow-md"
          onClick={() => virtual.scrollToEnd({ behavior: "auto" })}
        >
          <ArrowDown size={16} aria-hidden />
          Jump to latest
        </button>
      ) : null}
    </div>
  );
}

const estimates: Record<Row["kind"], number> = { item: 72, tool: 32, run: 32, "broken-off": 72 };

/** The end is what a person comes for, and it stays in sight when what is below takes more room. */
function useEndInSight(
  scroller: RefObject<HTMLElement | null>,
  virtual: Virtualizer<HTMLElement, Element>,
  begun: number,
): readonly [atEnd: boolean, setAtEnd: (atEnd: boolean) => void] {
  const [atEnd, setAtEnd] = useState(true);
  const follow = useRef(atEnd);
  useEffect(() => {
    follow.current = atEnd;
  }, [atEnd]);
  // Rows are measured after they are drawn, and the last of them may change the distance without any scrolling.
  const size = virtual.getTotalSize();
  useEffect(() => {
    const element = scroller.current;
    // What the page knows here, the browser alone can tell, and only after it has drawn.
    // oxlint-disable-next-line react/set-state-in-effect
    if (element) setAtEnd(isAtEnd(element));
    // oxlint-disable-next-line react/exhaustive-effect-dependencies
  }, [scroller, size]);
  useEffect(() => {
    const element = scroller.current;
    if (!element || begun === 0) return;
    virtual.scrollToEnd();
    const observer = new ResizeObserver(() => {
      if (follow.current) virtual.scrollToEnd();
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroller, virtual, begun]);
  return [atEnd, setAtEnd];
}

function isAtEnd({ scrollHeight, scrollTop, clientHeight }: HTMLElement): boolean {
  return scrollHeight - scrollTop - clientHeight <= END_PX;
}

/** The last row that was there before this tab was away; null while it lies before what is held. */
function leftOffRow(rows: readonly Row[], log: SessionLog | null, leftOff: number | null): number | null {
  if (!log || leftOff === null || log.from > leftOff) return null;
  const index = rows.findLastIndex((row) => seqOf(row) <= leftOff);
  return index < 0 ? null : index;
}

function seqOf(row: Row): number {
  if (row.kind === "broken-off") return Number.POSITIVE_INFINITY;
  return row.kind === "run" ? (row.items[0]?.seq ?? 0) : row.item.seq;
}

/** Whether the mark has been in sight: then the way to it is not offered any more. */
function useSeen(
  leftOff: number | null,
  mark: number | null,
  virtual: Virtualizer<HTMLElement, Element>,
): boolean {
  const [seen, setSeen] = useState<number | null>(null);
  const { range } = virtual;
  if (mark !== null && range && mark >= range.startIndex && mark <= range.endIndex && seen !== leftOff) {
    setSeen(leftOff);
  }
  return seen !== null && seen === leftOff;
}

/** Loads back to the mark, and goes there once it is drawn. */
function useGoBack(
  virtual: Virtualizer<HTMLElement, Element>,
  mark: number | null,
  load: () => Promise<void>,
): () => void {
  const [going, setGoing] = useState(false);
  useEffect(() => {
    if (!going || mark === null) return;
    virtual.scrollToIndex(mark, { align: "center" });
    // The way there is done once; what comes after is the reader's.
    // oxlint-disable-next-line react/set-state-in-effect
    setGoing(false);
  }, [virtual, mark, going]);
  return () => {
    setGoing(true);
    void load();
  };
}

function LeftOff(): ReactNode {
  return (
    <p className="flex items-center gap-3 py-2 text-small text-accent">
      <span aria-hidden className="h-px grow bg-accent opacity-40" />
      You left off here
      <span aria-hidden className="h-px grow bg-accent opacity-40" />
    </p>
  );
}

function Older({ state, onAsk }: { state: SessionView["older"]; onAsk: () => void }): ReactNode {
  if (state === "none") return null;
  return (
    <p className="absolute inset-x-0 top-0 flex h-12 items-center justify-center text-small text-faint">
      {state === "loading" ? (
        "Loading what was before"
      ) : (
        <button type="button" className="button-quiet" onClick={onAsk}>
          {state === "failed" ? "Older messages could not be loaded. Try again" : "Load what was before"}
        </button>
      )}
    </p>
  );
}

function Beginning({ row }: { row: SessionRow | null }): ReactNode {
  return <p className="mx-auto max-w-[760px] pt-6 text-muted">{beginning(row)}</p>;
}

function beginning(row: SessionRow | null): string {
  if (row?.state !== "queued" && row?.state !== "starting") return "Nothing has been said yet.";
  // What it waits for stands in the head.
  if (row.host === null) return "It begins by itself as soon as a host has room. What you send is kept.";
  return row.state_reason ?? "The host is making a worktree and starting the agent.";
}

/** Finished messages are told to those who listen; text that is being written is not. */
function Announcements({ rows }: { rows: readonly Row[] }): ReactNode {
  const last = rows.findLast(
    (row) => row.kind === "item" && row.item.kind === "speech" && !row.item.streaming,
  );
  const text =
    last?.kind === "item" && last.item.kind === "speech" && !last.item.thinking ? last.item.text : "";
  return (
    <div aria-live="polite" className="sr-only">
      {text.slice(0, 400)}
    </div>
  );
}
