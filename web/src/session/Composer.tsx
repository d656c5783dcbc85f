/**
 * Where a person writes to the agent. Always open: also while something waits, while a turn runs, and offline. Owns
 * the draft of each session, and shows what was sent and is not taken up yet.
 */
import { useMutation } from "@tanstack/react-query";
import { CircleStop, Clock, SendHorizontal, X } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useState } from "react";
import { useShallow } from "zustand/react/shallow";
import { Link } from "wouter";
import { routes } from "../api/routes.ts";
import type { Delivery, SessionRow } from "../api/wire.ts";
import { say } from "../outbox/actions.ts";
import { forget, sendAgain, useOutbox, type Wish } from "../outbox/outbox.ts";
import { useMedia } from "../ui/media.ts";
import { Problem } from "../ui/Problem.tsx";
import type { SessionLog } from "./reduce.ts";

/** Drafts outlive the page of their session, not the tab. */
const drafts = new Map<string, string>();

interface ComposerProps {
  row: SessionRow;
  log: SessionLog | null;
}

export function Composer({ row, log }: ComposerProps): ReactNode {
  const [text, setText] = useState(() => drafts.get(row.id) ?? "");
  const handheld = useMedia("(pointer: coarse)");
  const running = (log?.facts.turn ?? null) !== null || row.state === "working" || row.state === "waiting";
  const write = (next: string): void => {
    setText(next);
    drafts.set(row.id, next);
  };
  const send = (delivery: Delivery): void => {
    if (text.trim() === "") return;
    void say(row.id, text, delivery);
    write("");
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing || handheld) return;
    event.preventDefault();
    send(running && (event.metaKey || event.ctrlKey) ? "steer" : "queue");
  };
  if (row.state === "ended") return <Ended row={row} />;
  return (
    <footer className="shrink-0 px-3 pt-2 pb-[max(12px,env(safe-area-inset-bottom))] wide:px-5">
      <div className="mx-auto max-w-[760px]">
        <Waiting session={row.id} log={log} />
        <div className="flex items-end gap-2 rounded border border-line-strong bg-raised py-1 pr-1 pl-3 focus-within:border-accent">
          <textarea
            rows={1}
            aria-label="Message to the agent"
            placeholder={running ? "Write; it is sent after this turn" : `Write to ${row.agent}`}
            className="max-h-[30dvh] min-h-9 grow resize-none bg-transparent py-2 [field-sizing:content] placeholder:text-faint focus-visible:outline-none"
            value={text}
            onChange={({ target }) => write(target.value)}
            onKeyDown={onKeyDown}
          />
          {running ? <Interrupt session={row.id} /> : null}
          <button
            type="button"
            className="button button-primary min-w-11 px-3!"
            disabled={text.trim() === ""}
            onClick={() => send("queue")}
          >
            <SendHorizontal size={16} aria-hidden />
            <span className="sr-only">{running ? "Send after this turn" : "Send"}</span>
          </button>
        </div>
        {handheld ? null : (
          <p className="mt-1 h-[18px] text-small text-faint">
            {running && text !== ""
              ? "Enter sends after this turn, Ctrl Enter into it, Shift Enter breaks the line"
              : "Enter sends, Shift Enter breaks the line"}
          </p>
        )}
      </div>
    </footer>
  );
}

function Interrupt({ session }: { session: string }): ReactNode {
  const interrupt = useMutation({ mutationFn: () => routes.interrupt(session) });
  return (
    <button
      type="button"
      className="button px-3!"
      disabled={interrupt.isPending}
      title={interrupt.error ? interrupt.error.message : "Interrupt this turn; the agent lives on"}
      onClick={() => interrupt.mutate()}
    >
      <CircleStop size={16} aria-hidden />
      {interrupt.error ? "Not interrupted" : "Interrupt"}
    </button>
  );
}

/** What was written and is not taken up: on its way, in the session's queue, or refused. */
function Waiting({ session, log }: { session: string; log: SessionLog | null }): ReactNode {
  const wishes = useOutbox(
    useShallow((outbox) =>
      [...outbox.wishes.values()].filter((it) => it.session === session && it.id.startsWith("cmd_")),
    ),
  );
  const queued = log?.queue ?? [];
  const known = new Set(queued.map(({ command }) => command));
  const unheard = wishes.filter(({ id }) => !known.has(id) && !log?.items.has(`user:${id}`));
  if (queued.length === 0 && unheard.length === 0) return null;
  return (
    <ul aria-label="Messages that wait" className="mb-2 grid gap-1">
      {queued.map((item) => (
        <WaitingLine key={item.id} text={item.text} words="Queued; the agent takes it up after this turn" />
      ))}
      {unheard.map((wish) => (
        <Unheard key={wish.id} wish={wish} />
      ))}
    </ul>
  );
}

function Unheard({ wish }: { wish: Wish }): ReactNode {
  if (wish.state !== "failed") return <WaitingLine text={wish.text} words={wishWords[wish.state]} />;
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

const wishWords: Record<Exclude<Wish["state"], "failed">, string> = {
  sending: "Sending",
  queued: "Kept here; it is sent when the connection is back",
  accepted: "Sent; the host has not confirmed it yet",
};

function WaitingLine({ text, words }: { text: string; words: string }): ReactNode {
  return (
    <li className="flex items-start gap-2 rounded bg-tint px-3 py-1.5 text-small">
      <Clock size={14} aria-hidden className="mt-0.5 shrink-0 text-faint" />
      <span className="line-clamp-3 min-w-0 grow whitespace-pre-wrap">{text}</span>
      <span className="max-w-[45%] shrink-0 text-right text-muted">{words}</span>
    </li>
  );
}

function Ended({ row }: { row: SessionRow }): ReactNode {
  return (
    <footer className="shrink-0 border-t border-line px-5 py-3 pb-[max(12px,env(safe-area-inset-bottom))] text-muted">
      <div className="mx-auto flex max-w-[760px] flex-wrap items-center justify-between gap-3">
        <p>This session has ended. Its log and its branch stay.</p>
        <Link
          href={`/sessions/new?project=${encodeURIComponent(row.project)}&agent=${encodeURIComponent(row.agent)}`}
          className="button"
        >
          New session in {row.project_name}
        </Link>
      </div>
    </footer>
  );
}
