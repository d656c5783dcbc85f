/** A decision while a person makes it up: answers, a reason, another input, the word for what is dangerous. */
import { useState } from "react";
import type { DecisionRequest, Gate, JsonValue } from "../api/wire.ts";
import { parseJson } from "../api/decode.ts";
import { isObject } from "../session/tools.ts";
import { dangerWord } from "./danger.ts";
import { type Answers, finished } from "./Questions.tsx";
import { editableText } from "./subject.ts";

/** The word to type for what cannot be shown whole. */
export const UNSEEN = "unseen";

export type Mode = "ask" | "deny" | "edit";

export interface Draft {
  readonly mode: Mode;
  readonly setMode: (mode: Mode) => void;
  readonly answers: Answers;
  readonly setAnswers: (answers: Answers) => void;
  readonly reason: string;
  readonly setReason: (reason: string) => void;
  readonly edited: string;
  readonly setEdited: (text: string) => void;
  readonly typed: string;
  readonly setTyped: (text: string) => void;
  /** The word to type, or null when a tap is enough. */
  readonly word: string | null;
  /** The decision as it stands, or why it cannot be made yet. */
  readonly allow: DecisionRequest | string;
  readonly deny: DecisionRequest;
}

/** `unseen`: the whole of what was cut cannot be had, so that nobody has seen it. */
export function useDraft(gate: Gate, unseen: boolean): Draft {
  const [mode, setMode] = useState<Mode>("ask");
  const [answers, setAnswers] = useState<Answers>({});
  const [reason, setReason] = useState("");
  const [edited, setEdited] = useState(() => textOf(gate));
  const [typed, setTyped] = useState("");
  const input = mode === "edit" ? inputOf(gate, edited) : undefined;
  const word = unseen ? UNSEEN : dangerWord({ tool: gate.tool, input: input ?? gate.input });
  const said = reason.trim();
  return {
    mode,
    setMode,
    answers,
    setAnswers,
    reason,
    setReason,
    edited,
    setEdited,
    typed,
    setTyped,
    word,
    allow:
      gate.truncated && !unseen
        ? "The rest is on its way."
        : allowed(gate, { mode, answers, input, word, typed }),
    deny: { decision: "deny", ...(said === "" ? {} : { reason: said }) },
  };
}

interface Parts {
  mode: Mode;
  answers: Answers;
  input: JsonValue | undefined;
  word: string | null;
  typed: string;
}

function allowed(gate: Gate, { mode, answers, input, word, typed }: Parts): DecisionRequest | string {
  if (gate.kind === "question") {
    const whole = finished(gate.questions, answers);
    return whole ? { decision: "answer", answers: whole } : "Answer each question first.";
  }
  if (word !== null && typed.trim().toLowerCase() !== word) return `Type “${word}” first.`;
  if (mode !== "edit") return { decision: "allow" };
  return input === undefined ? "The input is not valid JSON." : { decision: "allow", input };
}

/** What a person edits: the command itself where there is one, else the whole input as JSON. */
function textOf(gate: Gate): string {
  return editableText(gate.tool, gate.input)?.text ?? JSON.stringify(gate.input, null, 2);
}

function inputOf(gate: Gate, text: string): JsonValue | undefined {
  const editable = editableText(gate.tool, gate.input);
  if (editable && isObject(gate.input)) return { ...gate.input, [editable.field]: text };
  const value = parseJson(text);
  return isJson(value) ? value : undefined;
}

/** All that a parser of JSON gives, but for the undefined of a text that is none. */
function isJson(value: unknown): value is JsonValue {
  return value !== undefined;
}
