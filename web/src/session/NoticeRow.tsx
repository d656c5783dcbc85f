/** Something that happened to the session itself. */
import { CircleAlert, Info, type LucideIcon, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Moment } from "../ui/Moment.tsx";
import { visible } from "../ui/visible.ts";
import type { NoticeItem } from "./items.ts";

const looks: Record<NoticeItem["tone"], { icon: LucideIcon; className: string }> = {
  quiet: { icon: Info, className: "text-muted" },
  warning: { icon: TriangleAlert, className: "rounded bg-needs-soft px-3 text-needs" },
  error: { icon: CircleAlert, className: "rounded bg-bad-soft px-3 text-bad" },
};

export function NoticeRow({ item }: { item: NoticeItem }): ReactNode {
  const { icon: Icon, className } = looks[item.tone];
  return (
    <div className={`my-1 flex gap-2 py-1.5 text-small ${className}`}>
      <Icon size={16} aria-hidden className="mt-px shrink-0" />
      <div className="min-w-0 grow">
        <p className="[overflow-wrap:anywhere]">{visible(item.text)}</p>
        {item.hint ? <p className="text-muted">{visible(item.hint)}</p> : null}
        {item.detail ? (
          <details className="mt-1">
            <summary>What it wrote last</summary>
            <pre className="code-view mt-1 max-h-60 px-3 py-2 text-text">{visible(item.detail)}</pre>
          </details>
        ) : null}
      </div>
      <Moment at={item.at} as="clock" className="shrink-0 text-faint" />
    </div>
  );
}
