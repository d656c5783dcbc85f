/**
 * The foot of an approval card: Deny at the left, Allow at the right, at the same place on every card, and after the
 * tap what became of it, in the same place.
 */
import { type ReactNode, useRef, useState } from "react";
import { useLocation } from "wouter";
import type { DecisionRequest, Gate, GateKind } from "../api/wire.ts";
import { decide } from "../outbox/actions.ts";
import { sendAgain, type Wish } from "../outbox/outbox.ts";
import { useKeys } from "../ui/keys.ts";
import { Problem } from "../ui/Problem.tsx";
import { type Draft, UNSEEN } from "./draft.ts";
import { Overtaken } from "./Overtaken.tsx";
import { editableText } from "./subject.ts";
import { commandOf } from "../session/tools.ts";
import { Receipts } from "./Receipts.tsx";

interface ActionsProps {
  gate: Gate;
  wish: Wish | null;
  open: boolean;
  active: boolean;
  draft: Draft;
  me: string;
  onClose: (() => void) | null;
}

const words: Record<GateKind, { allow: string; deny: string; say: string }> = {
  tool: { allow: "Allow", deny: "Deny", say: "Deny and say instead" },
  question: { allow: "Answer", deny: "Do not answer", say: "Say why not" },
  plan: { allow: "Approve", deny: "Reject", say: "Request changes" },
};

/** A card nobody can have read yet: a tap in this time was meant for what stood there before. */
const UNSEEN_MS = 400;

export function Actions({ gate, wish, open, active, draft, me, onClose }: ActionsProps): ReactNode {
  const wordField = useRef<HTMLInputElement>(null);
  const [shownAt] = useState(() => Date.now());
  const send = (request: DecisionRequest | string): void => {
    if (Date.now() - shownAt < UNSEEN_MS) return;
    if (typeof request === "string") wordField.current?.focus();
    else void decide(gate, request);
  };
  return (
    <footer className="border-t border-line px-4 py-3">
      {active && open ? <Keys gate={gate} draft={draft} send={send} /> : null}
      {wish?.state === "failed" ? (
        <div className="mb-3">
          <Problem error={wish.error} retry={() => void sendAgain(wish.id)} />
        </div>
      ) : null}
      {wish?.state === "overtaken" ? <Overtaken gate={gate} me={me} /> : null}
      {open ? (
        <Ask gate={gate} draft={draft} send={send} wordField={wordField} />
      ) : (
        <div className="flex min-h-11 items-end gap-3">
          <div className="grow">
            <Receipts gate={gate} wish={wish} me={me} />
          </div>
          {onClose ? (
            <button type="button" className="button" onClick={onClose}>
              Close
            </button>
          ) : null}
        </div>
      )}
    </footer>
  );
}

interface AskProps {
  gate: Gate;
  draft: Draft;
  send: (request: DecisionRequest | string) => void;
}

function Ask({
  gate,
  draft,
  send,
  wordField,
}: AskProps & { wordField: React.RefObject<HTMLInputElement | null> }): ReactNode {
  const { mode, setMode, word, allow } = draft;
  const label = words[gate.kind];
  const toggle = (next: "deny" | "edit"): void => setMode(mode === next ? "ask" : next);
  const problem = typeof allow === "string" ? allow : null;
  return (
    <>
      {mode === "ask" ? null : <Drafting draft={draft} gate={gate} />}
      {word !== null && mode !== "deny" ? (
        <label className="mb-3 block text-small text-muted">
          {word === UNSEEN ? "You do not see all of it." : "This cannot be undone."} To allow it, type{" "}
          <b className="font-mono text-text">{word}</b>
          <input
            ref={wordField}
            className="field mt-1 font-mono"
            value={draft.typed}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            onChange={({ target }) => draft.setTyped(target.value)}
          />
        </label>
      ) : null}
      <div className="flex flex-wrap items-center justify-between gap-x-3 gap-y-2">
        <div className="order-first flex w-full justify-center gap-2 wide:order-2 wide:w-auto">
          {gate.kind === "tool" ? (
            <button
              type="button"
              className="button-quiet"
              aria-expanded={mode === "edit"}
              onClick={() => toggle("edit")}
            >
              Edit
            </button>
          ) : null}
          <button
            type="button"
            className="button-quiet"
            aria-expanded={mode === "deny"}
            onClick={() => toggle("deny")}
          >
            {label.say}
          </button>
        </div>
        <button type="button" className="button button-touch wide:order-1" onClick={() => send(draft.deny)}>
          {mode === "deny" && draft.reason.trim() !== "" ? `${label.deny} with words` : label.deny}
        </button>
        <button
          type="button"
          className={`button button-touch wide:order-3 ${mode === "deny" ? "" : "button-primary"}`}
          disabled={problem !== null}
          title={problem ?? undefined}
          onClick={() => send(allow)}
        >
          {mode === "edit" ? "Allow as edited" : label.allow}
        </button>
      </div>
    </>
  );
}

function Drafting({ draft, gate }: { draft: Draft; gate: Gate }): ReactNode {
  const denying = draft.mode === "deny";
  const value = denying ? draft.reason : draft.edited;
  return (
    <label className="mb-3 block">
      <span className="label">
        {denying ? `What should ${gate.agent} know, or do instead?` : instead(gate)}
      </span>
      <textarea
        // Opened by the person's own hand, on this card.
        // oxlint-disable-next-line jsx-a11y/no-autofocus
        autoFocus
        className={`field max-h-(--exact-max) [field-sizing:content] ${denying ? "min-h-16" : "min-h-16 font-mono"}`}
        spellCheck={denying}
        value={value}
        onChange={({ target }) => (denying ? draft.setReason(target.value) : draft.setEdited(target.value))}
        onKeyDown={(event) => {
          if (event.key === "Escape") draft.setMode("ask");
        }}
      />
      {typeof draft.allow === "string" && draft.mode === "edit" ? (
        <span className="mt-1 block text-small text-bad">{draft.allow}</span>
      ) : null}
    </label>
  );
}

function instead({ tool, input }: Gate): string {
  const editable = editableText(tool, input);
  if (editable === null) return "The input instead";
  return commandOf(tool, input) === null ? "The new text instead" : "What runs instead";
}

/** Only one card has them at a time. */
function Keys({ gate, draft, send }: AskProps): ReactNode {
  const [, navigate] = useLocation();
  useKeys({
    y: () => send(draft.allow),
    n: () => send(draft.deny),
    e: () => draft.setMode(gate.kind === "tool" ? "edit" : "deny"),
    o: () => navigate(`/sessions/${gate.session}`),
  });
  return null;
}
