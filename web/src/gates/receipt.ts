/** How far a decision has come, in dots and in words. Pure: what is known of the gate, of the tab and of the host is given. */
import type { Decision, Gate, Verdict } from "../api/wire.ts";
import type { Silence } from "../hosts/silence.ts";
import type { Wish } from "../outbox/outbox.ts";
import type { Step } from "../ui/Steps.tsx";
import { outcomeWords } from "../ui/words.ts";

/** Each is filled once the one it is about has it, and never before. */
export function stepsOf(gate: Gate, wish: Wish | null): readonly Step[] {
  const { decision, receipts } = gate;
  return [
    { word: "sent", at: sentAt(wish) ?? receipts.decided_at },
    { word: "decided", at: receipts.decided_at },
    { word: "delivered", at: receipts.delivered_at },
    { word: lastWord(decision?.verdict ?? "allow", gate), at: receipts.finished_at },
  ];
}

/** What nobody has answered has not been sent, and the dot does not say so. */
function sentAt(wish: Wish | null): string | null {
  return wish?.state === "accepted" ? wish.at : null;
}

function lastWord(verdict: Verdict, gate: Gate): string {
  if (verdict === "deny") return "not run";
  if (verdict === "answer") return "answered";
  const { outcome } = gate.receipts;
  return outcome && outcome !== "succeeded" ? outcomeWords[outcome] : "ran";
}

export const verdictWords: Record<Verdict, string> = { allow: "Allowed", deny: "Denied", answer: "Answered" };

export function sentence(gate: Gate, wish: Wish | null, me: string, silence: Silence | null): string {
  const { decision, receipts, host } = gate;
  if (gate.state === "withdrawn")
    return `No longer asked: ${gate.withdrawn_reason ?? "the agent is gone"}. Nobody said no.`;
  if (!decision) {
    return wish?.state === "queued"
      ? "Queued: it is sent as soon as the connection is back."
      : "Sending; nobody has it yet.";
  }
  const who = `${verdictWords[decision.verdict]} by ${whoOf(decision, me)}${decision.input === undefined ? "" : ", as edited"}`;
  const reason = decision.reason ? `: “${decision.reason}”` : "";
  const stop = /[.!?]”$/.test(reason) ? "" : ".";
  return `${who}${reason}${stop} ${whereabouts(decision.verdict, receipts, host, silence)}`;
}

function whoOf({ by, by_name }: Decision, me: string): string {
  return by === me ? "you" : by_name;
}

function whereabouts(
  verdict: Verdict,
  receipts: Gate["receipts"],
  host: string,
  silence: Silence | null,
): string {
  if (receipts.finished_at && receipts.outcome) return finish(verdict, receipts.outcome);
  const unheard = silence ? `; ${silence.sentence}` : "";
  if (receipts.released_at) {
    return verdict === "allow"
      ? `The agent was told; the tool has not reported back${unheard}.`
      : "The agent was told.";
  }
  if (receipts.delivered_at)
    return `Delivered to the runner on ${host}; the agent is not told yet${unheard}.`;
  return silence ? `On its way; ${silence.sentence}.` : `On its way to ${host}.`;
}

function finish(verdict: Verdict, outcome: NonNullable<Gate["receipts"]["outcome"]>): string {
  if (verdict === "deny") return "The tool did not run.";
  if (verdict === "answer") return "The agent has the answer.";
  return outcome === "succeeded" ? "The tool ran." : `The tool ${outcomeWords[outcome]}.`;
}
