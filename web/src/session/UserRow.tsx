/** What a person wrote: on a quiet tint, set right on a phone. A long text opens when asked. */
import { Paperclip } from "lucide-react";
import { type ReactNode, use } from "react";
import { Moment } from "../ui/Moment.tsx";
import { bytes } from "../ui/numbers.ts";
import type { UserItem } from "./items.ts";
import { useOpen } from "./opened.ts";
import { PeopleContext } from "./people.ts";

const LINES_SHOWN = 24;
const CHARACTERS_SHOWN = 1600;

export function UserRow({ item }: { item: UserItem }): ReactNode {
  const [open, toggle] = useOpen(item.id);
  const name = use(PeopleContext)[item.by ?? ""];
  const beginning = beginningOf(item.text);
  const isLong = beginning.length < item.text.length;
  const shown = open || !isLong ? item.text : `${beginning} …`;
  return (
    <div className="flex justify-end py-2 wide:justify-start">
      <div className="max-w-[88%] rounded bg-tint px-3 py-2 wide:w-full wide:max-w-none">
        <p className="max-w-[72ch] text-large [overflow-wrap:anywhere] whitespace-pre-wrap wide:text-base">
          {shown}
        </p>
        {isLong ? (
          <button type="button" className="button-quiet -ml-2" aria-expanded={open} onClick={toggle}>
            {open ? "Show less" : "Show all of it"}
          </button>
        ) : null}
        {item.attachments.map((file) => (
          <p key={file.id} className="mt-1 flex items-center gap-1.5 text-small text-muted">
            <Paperclip size={14} aria-hidden />
            {file.name}, {bytes(file.bytes)}
          </p>
        ))}
        <p className="mt-0.5 text-small text-faint">
          {name ? `${name} · ` : ""}
          <Moment at={item.at} as="clock" />
          {item.delivery === "steer" ? " · into the running turn" : ""}
        </p>
      </div>
    </div>
  );
}

/** All of a text, or the part of a long one that is shown at first: cut at a space, so that no word is torn. */
function beginningOf(text: string): string {
  const some = text.split("\n").slice(0, LINES_SHOWN).join("\n");
  return some.length <= CHARACTERS_SHOWN ? some : some.slice(0, CHARACTERS_SHOWN).replace(/\s+\S*$/, "");
}
