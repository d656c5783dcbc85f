/** Unified diffs as lines to draw. Pure; never throws on a patch that is odd, and loses no line of it. */

export interface DiffLine {
  readonly kind: "added" | "removed" | "context" | "hunk";
  readonly text: string;
  /** Line numbers before and after, where there are any. */
  readonly before: number | null;
  readonly after: number | null;
}

/** The lines of one file's patch, without its header: who shows it has the path already. */
export function parsePatch(patch: string): DiffLine[] {
  const lines: DiffLine[] = [];
  let before = 0;
  let after = 0;
  let inHunk = false;
  for (const raw of stripLastBreak(patch).split("\n")) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(raw);
    if (hunk) {
      before = Number(hunk[1]);
      after = Number(hunk[2]);
      inHunk = true;
      lines.push({ kind: "hunk", text: raw, before: null, after: null });
    } else if (!inHunk && isHeader(raw)) {
      continue;
    } else if (raw.startsWith("+")) {
      lines.push({ kind: "added", text: raw.slice(1), before: null, after: after++ });
    } else if (raw.startsWith("-")) {
      lines.push({ kind: "removed", text: raw.slice(1), before: before++, after: null });
    } else if (raw.startsWith("\\")) {
      lines.push({ kind: "hunk", text: raw.slice(2), before: null, after: null });
    } else if (inHunk) {
      lines.push({ kind: "context", text: raw.slice(1), before: before++, after: after++ });
    } else if (raw !== "") {
      lines.push({ kind: "context", text: raw, before: null, after: null });
    }
  }
  return lines;
}

/** What an edit replaces and by what, where no file is at hand to number its lines. */
export function replacement(before: string, after: string): DiffLine[] {
  const old = before === "" ? [] : stripLastBreak(before).split("\n");
  const fresh = after === "" ? [] : stripLastBreak(after).split("\n");
  const head = sharedCount(old, fresh);
  const tail = sharedCount(old.slice(head).toReversed(), fresh.slice(head).toReversed());
  const line = (kind: DiffLine["kind"]) => (text: string) => ({ kind, text, before: null, after: null });
  return [
    ...old.slice(0, head).map(line("context")),
    ...old.slice(head, old.length - tail).map(line("removed")),
    ...fresh.slice(head, fresh.length - tail).map(line("added")),
    ...old.slice(old.length - tail).map(line("context")),
  ];
}

export function countChanges(lines: readonly DiffLine[]): { added: number; removed: number } {
  return {
    added: lines.filter(({ kind }) => kind === "added").length,
    removed: lines.filter(({ kind }) => kind === "removed").length,
  };
}

function sharedCount(one: readonly string[], other: readonly string[]): number {
  let count = 0;
  while (count < one.length && count < other.length && one[count] === other[count]) count += 1;
  return count;
}

function stripLastBreak(text: string): string {
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}

function isHeader(line: string): boolean {
  return /^(?:diff --git |index |--- |\+\+\+ |new file |deleted file |old mode |new mode |similarity |rename )/.test(
    line,
  );
}
