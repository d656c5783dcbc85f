/** A change that no single call can be blamed for. */
import { ChevronRight, FileDiff } from "lucide-react";
import type { ReactNode } from "react";
import { Changes } from "../diff/Changes.tsx";
import { FilePatch } from "../diff/FilePatch.tsx";
import { visible } from "../ui/visible.ts";
import type { FileItem } from "./items.ts";
import { useOpen } from "./opened.ts";

export function FileRow({ item }: { item: FileItem }): ReactNode {
  const [open, toggle] = useOpen(item.id);
  const { path, change, added, removed } = item.change;
  return (
    <div>
      <button type="button" className="tool-line" aria-expanded={open} onClick={toggle}>
        <ChevronRight size={14} aria-hidden className={`shrink-0 ${open ? "rotate-90" : ""}`} />
        <FileDiff size={14} aria-hidden className="shrink-0" />
        <span className="shrink-0 first-letter:uppercase">{change}</span>
        <span className="min-w-0 grow truncate font-mono text-text">{visible(path)}</span>
        <Changes added={added} removed={removed} />
      </button>
      {open ? (
        <div className="mb-2 ml-5 border-l border-line py-1 pl-3">
          <FilePatch file={item.change} />
        </div>
      ) : null}
    </div>
  );
}
