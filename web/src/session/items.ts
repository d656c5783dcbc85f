/** What a transcript is made of: the events of a session, merged into the things a person sees. */
import type {
  Attachment,
  Decision,
  Delivery,
  FileChanged,
  GateOpened,
  JsonValue,
  Tokens,
  ToolOutcome,
  TurnOutcome,
} from "../api/wire.ts";

export type Item = UserItem | SpeechItem | ToolItem | FileItem | TurnItem | NoticeItem;

interface Base {
  /** Stable through all that happens to the item: the key of its row. */
  readonly id: string;
  readonly at: string;
  /** The number of the event that put it in its place. */
  readonly seq: number;
}

/** What a person wrote. It stands in the transcript once the agent took it up, in the queue before that. */
export interface UserItem extends Base {
  readonly kind: "user";
  readonly command: string;
  readonly text: string;
  readonly delivery: Delivery;
  readonly attachments: readonly Attachment[];
  readonly deliveredAt: string | null;
  /** The id of who wrote it. */
  readonly by: string | null;
}

/** What the agent wrote, or thought. */
export interface SpeechItem extends Base {
  readonly kind: "speech";
  readonly thinking: boolean;
  readonly text: string;
  /** More is coming: the text is not in the log yet. */
  readonly streaming: boolean;
  /** The beginning was missed and will come with the whole block. */
  readonly cutAtStart: boolean;
  readonly parent: string | null;
}

/** One tool call, from the wish to what came of it. */
export interface ToolItem extends Base {
  readonly kind: "tool";
  readonly toolUse: string;
  readonly tool: string;
  readonly input: JsonValue;
  readonly parent: string | null;
  readonly gate: GateProgress | null;
  readonly released: { readonly at: string; readonly allowed: boolean } | null;
  readonly finished: ToolResult | null;
  readonly files: readonly FileChanged[];
}

/** The gate of a call, as far as the log has it. */
export interface GateProgress {
  readonly opened: GateOpened;
  readonly openedAt: string;
  readonly decided: { readonly decision: Decision; readonly at: string } | null;
  readonly withdrawn: { readonly reason: string; readonly at: string } | null;
}

export interface ToolResult {
  readonly at: string;
  readonly outcome: ToolOutcome;
  readonly output: string;
  readonly outputBytes: number;
  /** The number of the event that has all of it, when it is cut here. */
  readonly wholeAt: number | null;
}

/** A change in the worktree that no single call can be blamed for. */
export interface FileItem extends Base {
  readonly kind: "file";
  readonly change: FileChanged;
}

/** The rule at the end of a turn. */
export interface TurnItem extends Base {
  readonly kind: "turn";
  readonly outcome: TurnOutcome;
  readonly error: string | null;
  readonly durationMs: number;
  readonly tokens: Tokens;
  readonly costUsd: number;
}

/** Something that happened to the session itself. */
export interface NoticeItem extends Base {
  readonly kind: "notice";
  readonly tone: "quiet" | "warning" | "error";
  readonly text: string;
  readonly hint: string | null;
  /** More for those who look: the end of stderr. */
  readonly detail: string;
}
