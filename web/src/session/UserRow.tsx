/** What a person wrote: on a quiet tint, set right on a phone. A long text opens when asked. */
import { Paperclip } from "lucide-react";
import { type ReactNode, use } from "react";
import { Moment } from "../ui/Moment.tsx";
import { useWide } from "../ui/media.ts";
import { bytes } from "../ui/numbers.ts";
import { Steps } from "../ui/Steps.tsx";
import { SessionContext } from "./context.ts";
import { isByItself } from "./goOn.ts";
import type { UserItem } from "./items.ts";
import { messageSteps } from "./message.ts";
import { useOpen } from "./opened.ts";

/** How much of a long text stands there at first: it is the person's own, and what came of it matters more. */
interface Room {
  readonly lines: number;
  readonly characters: number;
}
const broadRoom: Room = { lines: 12, characters: 1000 };
const narrowRoom: Room = { lines: 5, characters: 200 };

export function UserRow({ item }: { item: UserItem }): ReactNode {
  const [open, toggle] = useOpen(item.id);
  const { people } = use(SessionContext);
  const name = isByItself(item) ? "By itself" : people[item.by ?? ""];
  const beginning = beginningOf(item.text, useWide() ? broadRoom : narrowRoom);
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
        <div className="mt-0.5 text-small text-faint">
          {name ? `${name} · ` : ""}
          <Moment at={item.at} as="clock" />
          {item.delivery === "steer" ? " · into the running turn" : ""}{" "}
          <Steps
            dotsOnly
            steps={messageSteps({
              written: "unknown",
              accepted: "unknown",
              delivered: item.at,
              takenUp: item.deliveredAt,
            })}
          />
        </div>
      </div>
    </div>
  );
}

/** All of a text, or what there is room for: cut at a space, so that no word is torn. */
function beginningOf(text: string, { lines, characters }: Room): string {
  const some = text.split("\n").slice(0, lines).join("\n");
  return some.length <= characters ? some : some.slice(0, characters).replace(/\s+\S*$/, "");
}
