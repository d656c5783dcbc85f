/** What a person wrote: on a quiet tint, set right on a phone. A long text opens when asked. */
import { Paperclip } from "lucide-react";
import type { ReactNode } from "react";
import { Moment } from "../ui/Moment.tsx";
import { bytes, count } from "../ui/numbers.ts";
import type { UserItem } from "./items.ts";
import { useOpen } from "./opened.ts";

const LINES_SHOWN = 24;

export function UserRow({ item }: { item: UserItem }): ReactNode {
  const [open, toggle] = useOpen(item.id);
  const lines = item.text.split("\n");
  const hidden = Math.max(0, lines.length - LINES_SHOWN);
  const shown = open || hidden === 0 ? item.text : lines.slice(0, LINES_SHOWN).join("\n");
  return (
    <div className="flex justify-end py-2 wide:justify-start">
      <div className="max-w-[88%] rounded bg-tint px-3 py-2 wide:w-full wide:max-w-none">
        <p className="max-w-[72ch] text-large [overflow-wrap:anywhere] whitespace-pre-wrap wide:text-base">
          {shown}
        </p>
        {hidden > 0 ? (
          <button type="button" className="button-quiet -ml-2" aria-expanded={open} onClick={toggle}>
            {open ? "Show less" : `${count(hidden, "more line")}. Show all`}
          </button>
        ) : null}
        {item.attachments.map((file) => (
          <p key={file.id} className="mt-1 flex items-center gap-1.5 text-small text-muted">
            <Paperclip size={14} aria-hidden />
            {file.name}, {bytes(file.bytes)}
          </p>
        ))}
        <p className="mt-0.5 text-small text-faint">
          <Moment at={item.at} as="clock" />
          {item.delivery === "steer" ? " · into the running turn" : ""}
        </p>
      </div>
    </div>
  );
}
