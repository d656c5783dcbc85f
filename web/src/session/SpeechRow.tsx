/** What the agent wrote, plain on the page; what it thought, folded. */
import { ChevronRight } from "lucide-react";
import type { ReactNode } from "react";
import { Markdown } from "../markdown/Markdown.tsx";
import type { SpeechItem } from "./items.ts";
import { useOpen } from "./opened.ts";
import { Nested } from "./Nested.tsx";

export function SpeechRow({ item }: { item: SpeechItem }): ReactNode {
  return (
    <Nested parent={item.parent}>
      {item.thinking ? (
        <Thinking item={item} />
      ) : (
        <div className="py-2" aria-busy={item.streaming}>
          {item.cutAtStart ? (
            <p className="text-small text-faint">The beginning comes with the whole text.</p>
          ) : null}
          <Markdown text={item.text} />
        </div>
      )}
    </Nested>
  );
}

function Thinking({ item }: { item: SpeechItem }): ReactNode {
  const [open, toggle] = useOpen(item.id);
  const preview = item.text.trim().split("\n", 1)[0] ?? "";
  return (
    <div className="py-1">
      <button type="button" className="tool-line" aria-expanded={open} onClick={toggle}>
        <ChevronRight size={14} aria-hidden className={`shrink-0 ${open ? "rotate-90" : ""}`} />
        <span className="shrink-0">{item.streaming ? "Thinking" : "Thought"}</span>
        {open ? null : <span className="min-w-0 truncate text-faint">{preview}</span>}
      </button>
      {open ? (
        <div className="border-l-2 border-line pl-4 text-muted">
          <Markdown text={item.text} />
        </div>
      ) : null}
    </div>
  );
}
