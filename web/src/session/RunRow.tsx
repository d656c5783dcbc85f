/** A run of calls that went well, in one line that opens to all of them. */
import { ChevronRight } from "lucide-react";
import { type ReactNode, memo } from "react";
import { Changes } from "../diff/Changes.tsx";
import { duration } from "../ui/time.ts";
import type { ToolItem } from "./items.ts";
import { useOpen } from "./opened.ts";
import { ToolRow } from "./ToolRow.tsx";
import { summarise, tally } from "./tools.ts";

export const RunRow = memo(
  function RunRow({ items, id }: { items: readonly ToolItem[]; id: string }): ReactNode {
    const [open, toggle] = useOpen(id);
    const words = tally(items.map((item) => summarise(item.tool, item.input).class));
    return (
      <div>
        <button type="button" className="tool-line" aria-expanded={open} onClick={toggle}>
          <ChevronRight size={14} aria-hidden className={`shrink-0 ${open ? "rotate-90" : ""}`} />
          <span className="min-w-0 grow truncate first-letter:uppercase">{words}</span>
          <Changes {...changed(items)} />
          <span className="shrink-0 text-faint">{duration(elapsed(items))}</span>
        </button>
        {open ? (
          <div className="ml-1.5 border-l border-line pl-3">
            {items.map((item) => (
              <ToolRow key={item.id} item={item} />
            ))}
          </div>
        ) : null}
      </div>
    );
  },
  (one, other) =>
    one.items.length === other.items.length && one.items.every((item, at) => item === other.items[at]),
);

function changed(items: readonly ToolItem[]): { added: number; removed: number } {
  const files = items.flatMap((item) => item.files);
  return {
    added: files.reduce((sum, file) => sum + file.added, 0),
    removed: files.reduce((sum, file) => sum + file.removed, 0),
  };
}

function elapsed(items: readonly ToolItem[]): number {
  return items.reduce((sum, { finished, released, at }) => {
    return sum + (finished ? Date.parse(finished.at) - Date.parse(released?.at ?? at) : 0);
  }, 0);
}
