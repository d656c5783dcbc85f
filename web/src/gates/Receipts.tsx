/** How far a decision has come: four dots that fill, with their moments on hover, and one honest sentence. */
import type { ReactNode } from "react";
import type { Decision, Gate, Verdict } from "../api/wire.ts";
import type { Wish } from "../outbox/outbox.ts";
import { absolute } from "../ui/time.ts";
import { outcomeWords } from "../ui/words.ts";

interface ReceiptsProps {
  gate: Gate;
  /** What was asked for from this tab, if it was. */
  wish: Wish | null;
  /** The person who looks. */
  me: string;
}

export function Receipts({ gate, wish, me }: ReceiptsProps): ReactNode {
  const { decision, receipts } = gate;
  const verdict = decision?.verdict ?? "allow";
  const steps: readonly (readonly [word: string, at: string | null])[] = [
    ["sent", sentAt(wish) ?? receipts.decided_at],
    ["decided", receipts.decided_at],
    ["delivered", receipts.delivered_at],
    [lastWord(verdict, gate), receipts.finished_at],
  ];
  return (
    <div>
      <ol className="flex flex-wrap gap-x-4 gap-y-1 text-small text-muted">
        {steps.map(([word, at]) => (
          <li key={word} className="flex items-center gap-1.5" title={at ? absolute(at) : "not yet"}>
            <span
              aria-hidden
              className={`size-2 rounded-full border ${at ? "border-good-mark bg-good-mark" : "border-line-strong"}`}
            />
            {word}
            <span className="sr-only">{at ? absolute(at) : "not yet"}</span>
          </li>
        ))}
      </ol>
      <p className="mt-1 text-small text-muted">{sentence(gate, wish, me)}</p>
    </div>
  );
}

/** What is kept here because nobody answers has not been sent, and the dot does not say so. */
function sentAt(wish: Wish | null): string | null {
  return wish && (wish.state === "sending" || wish.state === "accepted") ? wish.at : null;
}

function lastWord(verdict: Verdict, gate: Gate): string {
  if (verdict === "deny") return "not run";
  if (verdict === "answer") return "answered";
  const { outcome } = gate.receipts;
  return outcome && outcome !== "succeeded" ? outcomeWords[outcome] : "ran";
}

export const verdictWords: Record<Verdict, string> = { allow: "Allowed", deny: "Denied", answer: "Answered" };

function sentence(gate: Gate, wish: Wish | null, me: string): string {
  const { decision, receipts, host } = gate;
  if (gate.state === "withdrawn")
    return `No longer asked: ${gate.withdrawn_reason ?? "the agent is gone"}. Nobody said no.`;
  if (!decision) {
    return wish?.state === "queued" ? "Queued: it is sent as soon as the connection is back." : "Sending";
  }
  const who = `${verdictWords[decision.verdict]} by ${whoOf(decision, me)}${decision.input === undefined ? "" : ", as edited"}`;
  const reason = decision.reason ? `: “${decision.reason}”` : "";
  const stop = /[.!?]”$/.test(reason) ? "" : ".";
  return `${who}${reason}${stop} ${whereabouts(decision.verdict, receipts, host)}`;
}

function whoOf({ by, by_name }: Decision, me: string): string {
  return by === me ? "you" : by_name;
}

function whereabouts(verdict: Verdict, receipts: Gate["receipts"], host: string): string {
  if (receipts.finished_at && receipts.outcome) return finish(verdict, receipts.outcome);
  if (receipts.released_at) {
    return verdict === "allow"
      ? "The agent was told; the tool has not reported back."
      : "The agent was told.";
  }
  if (receipts.delivered_at) return `Delivered to the runner on ${host}; the agent is not told yet.`;
  return `On its way to ${host}.`;
}

function finish(verdict: Verdict, outcome: NonNullable<Gate["receipts"]["outcome"]>): string {
  if (verdict === "deny") return "The tool did not run.";
  if (verdict === "answer") return "The agent has the answer.";
  return outcome === "succeeded" ? "The tool ran." : `The tool ${outcomeWords[outcome]}.`;
}
