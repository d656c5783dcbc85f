/** What was written and is not taken up: on its way, in the session's queue, or refused. */
import { Clock, X } from "lucide-react";
import type { ReactNode } from "react";
import { useShallow } from "zustand/react/shallow";
import { forget, sendAgain, useOutbox, type Wish } from "../outbox/outbox.ts";
import { Problem } from "../ui/Problem.tsx";
import type { SessionLog } from "./reduce.ts";

export function WaitingMessages({ session, log }: { session: string; log: SessionLog | null }): ReactNode {
  const wishes = useOutbox(
    useShallow((outbox) =>
      [...outbox.wishes.values()].filter((wish) => wish.session === session && wish.id.startsWith("cmd_")),
    ),
  );
  const queued = log?.queue ?? [];
  const known = new Set(queued.map(({ command }) => command));
  const unheard = wishes.filter(({ id }) => !known.has(id) && !log?.items.has(`user:${id}`));
  if (queued.length === 0 && unheard.length === 0) return null;
  return (
    <ul aria-label="Messages that wait" className="mb-2 grid max-h-[24dvh] gap-1 overflow-y-auto">
      {queued.map((item) => (
        <Line key={item.id} text={item.text} words="Queued for after this turn" />
      ))}
      {unheard.map((wish) => (
        <Unheard key={wish.id} wish={wish} />
      ))}
    </ul>
  );
}

function Unheard({ wish }: { wish: Wish }): ReactNode {
  // Nobody else can say what this person wrote.
  if (wish.state === "overtaken") return null;
  if (wish.state !== "failed") return <Line text={wish.text} words={wishWords[wish.state]} />;
  return (
    <li className="grid gap-1">
      <p className="line-clamp-3 px-3 text-small whitespace-pre-wrap">{wish.text}</p>
      <div className="flex items-start gap-1">
        <div className="grow">
          <Problem error={wish.error} retry={() => void sendAgain(wish.id)} />
        </div>
        <button type="button" className="button-quiet" onClick={() => forget(wish.id)}>
          <X size={14} aria-hidden />
          Discard
        </button>
      </div>
    </li>
  );
}

const wishWords: Record<Exclude<Wish["state"], "failed" | "overtaken">, string> = {
  sending: "Sending",
  queued: "Queued here",
  accepted: "Sent; not yet confirmed by the host",
};

function Line({ text, words }: { text: string; words: string }): ReactNode {
  return (
    <li className="flex items-start gap-2 rounded bg-tint px-3 py-1.5 text-small">
      <Clock size={14} aria-hidden className="mt-0.5 shrink-0 text-faint" />
      <span className="line-clamp-3 min-w-0 grow [overflow-wrap:anywhere] whitespace-pre-wrap">{text}</span>
      <span className="max-w-[45%] shrink-0 text-right text-muted">{words}</span>
    </li>
  );
}
