/** One tool call in one line, that opens in place. */
import {
  Bot,
  ChevronRight,
  CircleHelp,
  FileText,
  Globe,
  ListChecks,
  type LucideIcon,
  Pencil,
  Search,
  SquareTerminal,
  Wrench,
} from "lucide-react";
import { type ReactNode, memo, use } from "react";
import type { Decision } from "../api/wire.ts";
import { Changes } from "../diff/Changes.tsx";
import { duration } from "../ui/time.ts";
import { visible } from "../ui/visible.ts";
import { useFleet } from "../fleet/store.ts";
import { isQueued, useOutbox } from "../outbox/outbox.ts";
import { outcomeWords } from "../ui/words.ts";
import { SessionContext } from "./context.ts";
import type { ToolItem } from "./items.ts";
import { placeOf } from "../gates/place.ts";
import { Nested } from "./Nested.tsx";
import { useOpen } from "./opened.ts";
import { ToolDetail } from "./ToolDetail.tsx";
import { summarise, type ToolClass } from "./tools.ts";

export const ToolRow = memo(function ToolRow({ item }: { item: ToolItem }): ReactNode {
  const [open, toggle] = useOpen(item.id);
  const summary = summarise(item.tool, item.input);
  const { worktree } = use(SessionContext);
  const object = placeOf(summary.object.split("\n", 1)[0] ?? "", worktree).name;
  const Icon = icons[summary.class];
  const gate = item.gate?.opened.gate ?? "";
  const queued = useOutbox(({ wishes }) => isQueued(wishes, gate));
  const onTheWay = useFleet(({ gates }) => gates.get(gate)?.state === "decided");
  const { words, look } = standing(item, queued, onTheWay);
  const added = item.files.reduce((sum, file) => sum + file.added, 0);
  const removed = item.files.reduce((sum, file) => sum + file.removed, 0);
  return (
    <Nested parent={item.parent}>
      <button type="button" className="tool-line" aria-expanded={open} onClick={toggle}>
        <ChevronRight size={14} aria-hidden className={`shrink-0 ${open ? "rotate-90" : ""}`} />
        <Icon size={14} aria-hidden className="shrink-0" />
        <span className="shrink-0">{summary.verb}</span>
        <span className="min-w-0 grow truncate font-mono text-text">{visible(object)}</span>
        <Changes added={added} removed={removed} />
        <span className={`max-w-[40%] shrink-0 truncate ${look}`}>{words}</span>
      </button>
      {open ? <ToolDetail item={item} worktree={worktree} /> : null}
    </Nested>
  );
});

const icons: Record<ToolClass, LucideIcon> = {
  read: FileText,
  edit: Pencil,
  run: SquareTerminal,
  search: Search,
  web: Globe,
  agent: Bot,
  plan: ListChecks,
  question: CircleHelp,
  other: Wrench,
};

/** What a person answered, which matters more here than how long it took. */
function said({ verdict, answers }: Decision): string {
  if (answers) return Object.values(answers).flat().map(String).join(", ");
  return verdict === "deny" ? "rejected" : "approved";
}

/** How a call stands, in a word or two. */
function standing(
  { gate, released, finished, at }: ToolItem,
  queued: boolean,
  onTheWay: boolean,
): { words: string; look: string } {
  if (finished) {
    const words = outcomeWords[finished.outcome];
    if (finished.outcome !== "succeeded")
      return { words, look: finished.outcome === "failed" ? "text-bad" : "text-needs" };
    if (gate?.decided && gate.opened.kind !== "tool") {
      return { words: said(gate.decided.decision), look: "text-muted" };
    }
    return { words: duration(Date.parse(finished.at) - Date.parse(released?.at ?? at)), look: "text-faint" };
  }
  if (gate?.withdrawn) return { words: "no longer asked", look: "text-faint" };
  if (released)
    return {
      words: released.allowed ? "running" : "denied",
      look: released.allowed ? "text-accent" : "text-needs",
    };
  if (gate?.decided) return { words: "decided", look: "text-muted" };
  if (gate && onTheWay) return { words: "decision on its way", look: "text-muted" };
  if (gate && queued) return { words: "decision queued", look: "text-muted" };
  if (gate) return { words: "needs you", look: "font-medium text-needs" };
  return { words: "asked", look: "text-faint" };
}
