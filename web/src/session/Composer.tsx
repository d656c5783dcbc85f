/**
 * Where a person writes to the agent. Always open: also while something waits, while a turn runs, and offline. Owns
 * the draft of each session; what was sent and is not taken up stands above it.
 */
import { useMutation } from "@tanstack/react-query";
import { CircleStop, Paperclip, SendHorizontal, X } from "lucide-react";
import { type KeyboardEvent, type ReactNode, useRef, useState } from "react";
import { Link } from "wouter";
import { routes } from "../api/routes.ts";
import type { Delivery, SessionRow } from "../api/wire.ts";
import { say } from "../outbox/actions.ts";
import { useMedia } from "../ui/media.ts";
import { bytes, count } from "../ui/numbers.ts";
import { Problem } from "../ui/Problem.tsx";
import { type Attachments, useAttachments } from "./attachments.ts";
import type { SessionLog } from "./reduce.ts";
import { WaitingMessages } from "./WaitingMessages.tsx";

/** Drafts outlive the page of their session, not the tab. */
const drafts = new Map<string, string>();

interface ComposerProps {
  row: SessionRow;
  log: SessionLog | null;
}

export function Composer({ row, log }: ComposerProps): ReactNode {
  const [text, setText] = useState(() => drafts.get(row.id) ?? "");
  const files = useAttachments(row.id);
  const handheld = useMedia("(pointer: coarse)");
  const running = (log?.facts.turn ?? null) !== null || row.state === "working" || row.state === "waiting";
  const sendable = files.storing === 0 && (text.trim() !== "" || files.ready.length > 0);
  const write = (next: string): void => {
    setText(next);
    drafts.set(row.id, next);
  };
  const send = (delivery: Delivery): void => {
    if (!sendable) return;
    void say(row.id, { text, attachments: files.ready, delivery });
    write("");
    files.clear();
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
        <WaitingMessages row={row} log={log} running={running} />
        <AttachedFiles files={files} />
        <div className="flex items-end gap-1 rounded border border-line-strong bg-raised p-1 focus-within:border-accent">
          <AttachButton onFiles={files.add} hasHost={row.host !== null} />
          <textarea
            rows={1}
            aria-label="Message to the agent"
            placeholder={row.state === "asleep" ? `Write, and ${row.agent} wakes` : `Write to ${row.agent}`}
            className="max-h-[30dvh] min-h-9 min-w-0 grow resize-none bg-transparent px-1 py-2 [field-sizing:content] placeholder:text-faint focus-visible:outline-none"
            value={text}
            onChange={({ target }) => write(target.value)}
            onKeyDown={onKeyDown}
            onPaste={({ clipboardData }) => {
              if (clipboardData.files.length > 0) files.add(clipboardData.files);
            }}
          />
          {running ? <Interrupt session={row.id} /> : null}
          <button
            type="button"
            className="button button-primary min-w-11 px-3!"
            disabled={!sendable}
            onClick={() => send("queue")}
          >
            <SendHorizontal size={16} aria-hidden />
            <span className="sr-only">{running ? "Send after this turn" : "Send"}</span>
          </button>
        </div>
        {handheld ? null : (
          <p className="mt-1 h-[18px] truncate text-small text-faint">{hint(running, text)}</p>
        )}
      </div>
    </footer>
  );
}

function hint(running: boolean, text: string): string {
  if (!running) return "Enter sends, Shift Enter breaks the line";
  return text === ""
    ? "What you send now waits until this turn ends"
    : "Enter sends after this turn, Ctrl Enter into it, Shift Enter breaks the line";
}

interface AttachButtonProps {
  onFiles: (files: Iterable<File>) => void;
  /** Files lie with a host; a session that waits for one has no place for them yet. */
  hasHost: boolean;
}

function AttachButton({ onFiles, hasHost }: AttachButtonProps): ReactNode {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button
        type="button"
        className="button-quiet h-9 px-2! pointer-coarse:h-11"
        title={hasHost ? "Attach files" : "Files can be attached once a host has this session"}
        disabled={!hasHost}
        onClick={() => input.current?.click()}
      >
        <Paperclip size={16} aria-hidden />
        <span className="sr-only">Attach files</span>
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label="Files"
        onChange={({ target }) => {
          onFiles([...(target.files ?? [])]);
          target.value = "";
        }}
      />
    </>
  );
}

function AttachedFiles({ files }: { files: Attachments }): ReactNode {
  if (files.ready.length === 0 && files.storing === 0 && files.error === null) return null;
  return (
    <div className="mb-2 grid gap-1">
      <ul className="flex flex-wrap gap-2">
        {files.ready.map((file) => (
          <li key={file.id} className="flex items-center gap-1 rounded border border-line pl-2 text-small">
            <span className="max-w-48 truncate">{file.name}</span>
            <span className="text-faint">{bytes(file.bytes)}</span>
            <button type="button" className="button-quiet px-2!" onClick={() => files.remove(file.id)}>
              <X size={14} aria-hidden />
              <span className="sr-only">Remove {file.name}</span>
            </button>
          </li>
        ))}
        {files.storing > 0 ? (
          <li className="text-small text-muted">Storing {count(files.storing, "file")}</li>
        ) : null}
      </ul>
      {files.error ? <Problem error={files.error} /> : null}
    </div>
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
      <span className="sr-only wide:not-sr-only">{interrupt.error ? "Not interrupted" : "Interrupt"}</span>
    </button>
  );
}

function Ended({ row }: { row: SessionRow }): ReactNode {
  const again = new URLSearchParams({ project: row.project, agent: row.agent });
  return (
    <footer className="shrink-0 border-t border-line px-3 py-3 pb-[max(12px,env(safe-area-inset-bottom))] text-muted wide:px-5">
      <div className="mx-auto flex max-w-[760px] flex-wrap items-center justify-between gap-3">
        <p>
          {row.imported
            ? `This session was imported; it ran on ${row.imported.host}. It is only to be read.`
            : "This session has ended. Its log and its branch stay."}
        </p>
        <Link href={`/sessions/new?${again.toString()}`} className="button">
          New session in {row.project_name}
        </Link>
      </div>
    </footer>
  );
}
