/** One row of the transcript. Owns which part draws which kind; each is drawn again only when its item is another. */
import { type ReactNode, memo } from "react";
import { assertNever } from "../ui/never.ts";
import { BrokenOff } from "./BrokenOff.tsx";
import { FileRow } from "./FileRow.tsx";
import type { Item, ToolItem } from "./items.ts";
import { NoticeRow } from "./NoticeRow.tsx";
import type { Row } from "./rows.ts";
import { RunRow } from "./RunRow.tsx";
import { SpeechRow } from "./SpeechRow.tsx";
import { ToolRow } from "./ToolRow.tsx";
import { TurnRow } from "./TurnRow.tsx";
import { UserRow } from "./UserRow.tsx";

export function RowView({ row, session }: { row: Row; session: string }): ReactNode {
  switch (row.kind) {
    case "item":
      return <ItemView item={row.item} />;
    case "tool":
      return <ToolRow item={row.item} />;
    case "run":
      return <RunRow items={row.items} id={`${session}/${row.key}`} />;
    case "broken-off":
      return <BrokenOff row={row.session} told={row.told} />;
    default:
      return assertNever(row);
  }
}

const ItemView = memo(function ItemView({ item }: { item: Exclude<Item, ToolItem> }): ReactNode {
  switch (item.kind) {
    case "user":
      return <UserRow item={item} />;
    case "speech":
      return <SpeechRow item={item} />;
    case "file":
      return <FileRow item={item} />;
    case "turn":
      return <TurnRow item={item} />;
    case "notice":
      return <NoticeRow item={item} />;
    default:
      return assertNever(item);
  }
});
