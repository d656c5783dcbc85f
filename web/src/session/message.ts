/** How far a message has come, in dots and in words. Pure: what is known of it is given. */
import type { Silence } from "../hosts/silence.ts";
import type { Step } from "../ui/Steps.tsx";

/** Each moment is of the one that had the message then; null while it has not. */
export interface MessageProgress {
  readonly written: Step["at"];
  /** A coordinator has stored it for its host. */
  readonly accepted: Step["at"];
  /** Its session has it: it is in the log. */
  readonly delivered: Step["at"];
  /** The agent has it. */
  readonly takenUp: Step["at"];
}

export function messageSteps(progress: MessageProgress): readonly Step[] {
  return [
    { word: "written", at: progress.written },
    { word: "accepted", at: progress.accepted },
    { word: "delivered", at: progress.delivered },
    { word: "taken up", at: progress.takenUp },
  ];
}

export type Whereabouts = "sending" | "queued" | "accepted" | "delivered";

export function messageWords(
  where: Whereabouts,
  host: string | null,
  silence: Silence | null,
  running: boolean,
): string {
  switch (where) {
    case "sending":
      return "Sending; nobody has it yet";
    case "queued":
      return "Queued here; it is sent as soon as the connection is back";
    case "accepted":
      if (host === null) return "Accepted; kept until a host has room for this session";
      return silence ? `Accepted; ${silence.sentence}` : `Accepted; on its way to ${host}`;
    case "delivered":
      if (silence) return `Delivered; ${silence.sentence}`;
      return running ? "Delivered; taken up after this turn" : "Delivered; not taken up yet";
  }
}
