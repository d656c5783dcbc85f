/**
 * Text that is still being written. It may be lost on the way and is void once its block is in the log, so it is
 * kept apart from the items and thrown away without regret.
 */
import type { BlockKind, Live } from "../api/wire.ts";

export interface Partial {
  readonly key: string;
  readonly turn: string | null;
  readonly kind: BlockKind;
  /** Where `text` begins in its block, in UTF-16 code units; above 0 when the beginning was missed. */
  readonly start: number;
  readonly text: string;
}

/** In the order in which the blocks began. */
export type Partials = readonly Partial[];

export const noPartials: Partials = [];

/** The name of a block, the same while it is written and when it is in the log. */
export function blockKey(message: string, block: number): string {
  return `speech:${message}/${block}`;
}

/** `done` says of which blocks the log already has the whole. */
export function foldLive(partials: Partials, live: Live, done: (key: string) => boolean): Partials {
  const key = blockKey(live.data.message, live.data.block);
  if (done(key)) return partials;
  const known = partials.find((partial) => partial.key === key);
  const next: Partial = {
    key,
    turn: live.data.turn ?? null,
    kind: live.data.kind,
    ...(live.type === "delta"
      ? extend(known, live.data.offset, live.data.text)
      : replace(known, live.data.text)),
  };
  if (!known) return [...partials, next];
  if (known.start === next.start && known.text === next.text) return partials;
  return partials.map((partial) => (partial.key === key ? next : partial));
}

export function dropPartial(partials: Partials, key: string): Partials {
  return partials.some((partial) => partial.key === key)
    ? partials.filter((partial) => partial.key !== key)
    : partials;
}

type Span = Pick<Partial, "start" | "text">;

function extend(known: Partial | undefined, offset: number, text: string): Span {
  if (!known) return { start: offset, text };
  const end = known.start + known.text.length;
  // A piece was lost: what is shown goes on from here, until a snapshot brings the whole.
  if (offset > end || offset < known.start) return offset < known.start ? known : { start: offset, text };
  // The same piece again, or one that overlaps what is there.
  if (offset + text.length <= end) return known;
  return { start: known.start, text: known.text.slice(0, offset - known.start) + text };
}

function replace(known: Partial | undefined, whole: string): Span {
  if (!known || whole.length >= known.start + known.text.length) return { start: 0, text: whole };
  // Older than what is shown: it can only mend the beginning.
  if (known.start === 0 || whole.length < known.start) return known;
  return { start: 0, text: whole.slice(0, known.start) + known.text };
}
