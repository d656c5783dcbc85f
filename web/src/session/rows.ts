/**
 * From the log to the rows of the page: which items stand alone and which fold into "read 6 files, ran 2 commands".
 * Pure; equal input gives rows with equal keys, so nothing jumps.
 */
import type { SessionRow } from "../api/wire.ts";
import type { Item, SpeechItem, ToolItem } from "./items.ts";
import type { Partials } from "./live.ts";
import type { SessionLog } from "./reduce.ts";

/** What of a session says whether its work stands still, and why. */
export type Standstill = Pick<SessionRow, "id" | "state" | "can_continue" | "continue_reason" | "limit">;

export type Row =
  | { readonly kind: "item"; readonly key: string; readonly item: Exclude<Item, ToolItem> }
  | { readonly kind: "tool"; readonly key: string; readonly item: ToolItem }
  | { readonly kind: "run"; readonly key: string; readonly items: readonly ToolItem[] }
  | {
      readonly kind: "broken-off";
      readonly key: string;
      readonly session: Standstill;
      /** The reason stands in the rows above. */
      readonly told: boolean;
    };

/** Fewer calls than this stand alone: a fold of two hides more than it spares. */
const RUN_CALLS_MIN = 3;

export function rowsOf(log: SessionLog): Row[] {
  const rows: Row[] = [];
  let run: ToolItem[] = [];
  const flush = (closed: boolean): void => {
    if (closed && run.length >= RUN_CALLS_MIN)
      rows.push({ kind: "run", key: `run:${run[0]?.id}`, items: run });
    else for (const item of run) rows.push({ kind: "tool", key: item.id, item });
    run = [];
  };
  for (const id of log.order) {
    const item = log.items.get(id);
    if (!item) continue;
    if (item.kind === "tool") {
      const folds = mayFold(item);
      if (!folds) flush(true);
      run.push(item);
      if (!folds) flush(false);
      continue;
    }
    flush(true);
    rows.push({ kind: "item", key: item.id, item });
  }
  // The run at the end may still grow: it folds when something else follows.
  flush(log.facts.turn === null);
  for (const item of streaming(log.partials)) rows.push({ kind: "item", key: item.id, item });
  return rows;
}

/** At the end, where the work broke off: how it goes on. */
export function brokenOff(rows: readonly Row[], session: Standstill | null): Row[] {
  if (!session || session.state === "ended" || !(session.limit || session.can_continue)) return [];
  const reason = session.continue_reason?.toLowerCase() ?? "";
  const told = reason !== "" && rows.slice(-TOLD_ROWS).some((row) => reasonIn(row).includes(reason));
  return [{ kind: "broken-off", key: "broken-off", session, told }];
}

/** As far above as a person still reads it as said of this. */
const TOLD_ROWS = 3;

function reasonIn(row: Row): string {
  if (row.kind !== "item") return "";
  if (row.item.kind === "notice") return row.item.text.toLowerCase();
  return row.item.kind === "turn" ? (row.item.error?.toLowerCase() ?? "") : "";
}

/** A call that waits, failed or was refused is what a person looks for, and so is what they were asked. */
function mayFold({ finished, gate }: ToolItem): boolean {
  return finished?.outcome === "succeeded" && (gate === null || gate.opened.kind === "tool");
}

function streaming(partials: Partials): SpeechItem[] {
  return partials
    .filter((partial) => partial.text !== "")
    .map((partial) => ({
      kind: "speech",
      id: partial.key,
      at: "",
      seq: Number.POSITIVE_INFINITY,
      thinking: partial.kind === "thinking",
      text: partial.text,
      streaming: true,
      cutAtStart: partial.start > 0,
      parent: null,
    }));
}
