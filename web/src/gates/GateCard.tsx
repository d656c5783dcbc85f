/**
 * The approval card: what will happen, exactly; why it may be risky; who asks. Owns the order of these and the draft
 * of a decision. It takes no focus by itself and keeps its buttons where they are.
 */
import { Bot, CircleHelp, ListChecks, ShieldQuestion, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "wouter";
import type { Gate, GateKind } from "../api/wire.ts";
import { useMe } from "../account/me.ts";
import { useFleet } from "../fleet/store.ts";
import { SilentHost } from "../hosts/SilentHost.tsx";
import { useOutbox } from "../outbox/outbox.ts";
import { Moment } from "../ui/Moment.tsx";
import { useNow } from "../ui/clock.ts";
import { age } from "../ui/time.ts";
import { Hint } from "../ui/Hint.tsx";
import { sessionTitle } from "../ui/title.ts";
import { visible } from "../ui/visible.ts";
import { Actions } from "./Actions.tsx";
import { GateBody } from "./GateBody.tsx";
import { Questions } from "./Questions.tsx";
import { Cut } from "./Cut.tsx";
import { useDraft } from "./draft.ts";
import { headline } from "./subject.ts";
import { useWholeGate } from "./whole.ts";

interface GateCardProps {
  gate: Gate;
  /** The one that the keys act on. */
  active: boolean;
  /** In the inbox a card says which session it is of; beside the transcript that is plain. */
  place: "inbox" | "session";
  /** For a card that stays until a person has read what became of it. */
  onClose?: (() => void) | null;
}

export function GateCard(props: GateCardProps): ReactNode {
  const { gate, problem, retry } = useWholeGate(props.gate);
  // What a person edits begins as the whole: with another text the draft begins anew.
  return (
    <Card
      key={gate.truncated ? "cut" : "whole"}
      {...props}
      gate={gate}
      unseen={problem !== null}
      cut={gate.truncated ? <Cut problem={problem} retry={retry} /> : null}
    />
  );
}

interface CardProps extends GateCardProps {
  /** What is said of a text that is not whole. */
  cut: ReactNode;
  /** The whole of it cannot be had. */
  unseen: boolean;
}

function Card({ gate, active, place, onClose = null, cut, unseen }: CardProps): ReactNode {
  const me = useMe();
  const wish = useOutbox(({ wishes }) => wishes.get(gate.id) ?? null);
  const draft = useDraft(gate, unseen);
  const worktree = useFleet(({ sessions }) => sessions.get(gate.session)?.worktree ?? null);
  const { icon: Icon } = kinds[gate.kind];
  const title = headline(gate);
  const open = gate.state === "pending" && (wish === null || wish.state === "failed");
  return (
    <article
      aria-label={visible(gate.summary).replaceAll("`", "")}
      data-gate={gate.id}
      className={`rounded border bg-raised ${places[place]} ${borders[open ? (active ? "active" : "open") : "closed"]}`}
    >
      {/* Scrolls where room is short, so that the buttons below stay where they are. */}
      <div className="min-h-16 overflow-y-auto overscroll-contain">
        <header className="px-4 pt-3">
          <h2 className="flex gap-2 text-large font-semibold">
            <Icon
              size={18}
              aria-hidden
              className={`mt-[3px] shrink-0 ${open ? "text-needs" : "text-faint"}`}
            />
            <span className="min-w-0 [overflow-wrap:anywhere]">
              <Hint text={visible(title)} />
            </span>
          </h2>
          <p className="text-small text-muted [overflow-wrap:anywhere]">
            in {gate.project_name}
            {gate.branch ? ` · ${gate.branch}` : ""} on {gate.host}
          </p>
          {gate.state === "pending" && place === "inbox" ? (
            <SilentHost
              host={gate.host}
              then="What you decide is kept, and delivered once it is back."
              className="mt-1"
            />
          ) : null}
          {place === "inbox" ? (
            <p className="truncate text-small">
              <Link href={`/sessions/${gate.session}`} className="link">
                {sessionTitle(gate.session_title, gate.agent)}
              </Link>
            </p>
          ) : null}
        </header>
        <div className="grid gap-3 px-4 py-3">
          {cut}
          <GateBody gate={gate} worktree={worktree} title={title} />
          {gate.kind === "question" ? (
            <Questions
              id={gate.id}
              questions={gate.questions}
              titled={
                gate.questions.length === 1 && gate.summary.includes(gate.questions[0]?.question ?? "\n")
              }
              answers={draft.answers}
              disabled={!open}
              onChange={draft.setAnswers}
            />
          ) : null}
          <Risks risks={gate.risks} />
          <Asker gate={gate} />
        </div>
      </div>
      <Actions
        gate={gate}
        wish={wish}
        open={open}
        active={active}
        draft={draft}
        me={me.id}
        onClose={onClose}
      />
    </article>
  );
}

const kinds: Record<GateKind, { icon: typeof Bot }> = {
  tool: { icon: ShieldQuestion },
  question: { icon: CircleHelp },
  plan: { icon: ListChecks },
};

/** Above the composer a card leaves room for what was said before it. */
const places = {
  inbox: "",
  session:
    "flex max-h-[62dvh] flex-col [@media(height<600px)]:max-h-[60dvh] [--exact-max:26dvh] [--plan-max:none] wide:[--exact-max:32dvh]",
} as const;

/** Amber as long as a person is waited for; what they have decided, sent or not, no longer asks for them. */
const borders = {
  active: "border-needs-mark",
  open: "border-needs-line",
  closed: "border-line-strong",
} as const;

function Risks({ risks }: { risks: readonly string[] }): ReactNode {
  if (risks.length === 0) return null;
  return (
    <ul className="grid gap-1 rounded bg-needs-soft px-3 py-2 text-small text-needs">
      {risks.map((risk) => (
        <li key={risk} className="flex gap-2">
          <TriangleAlert size={14} aria-hidden className="mt-0.5 shrink-0" />
          <span className="first-letter:uppercase">
            <Hint text={visible(risk)} />
          </span>
        </li>
      ))}
    </ul>
  );
}

function Asker({ gate }: { gate: Gate }): ReactNode {
  const now = useNow();
  const waited = age(gate.opened_at, now);
  return (
    <p className="flex items-start gap-1.5 text-small text-muted">
      <Bot size={14} aria-hidden className="mt-0.5 shrink-0" />
      <span>
        {gate.agent}
        {gate.parent ? ", through a subagent," : ""} {gate.state === "pending" ? "waits since" : "asked at"}{" "}
        <Moment at={gate.opened_at} as="clock" />
        {gate.state !== "pending" || waited === "now" ? "" : ` (${waited})`}
        {gate.state === "pending" ? <Reminded gate={gate} /> : null}
      </span>
    </p>
  );
}

/** Nothing before the first. */
function Reminded({ gate: { reminders, reminded_at } }: { gate: Gate }): ReactNode {
  if (reminders === 0) return null;
  const times = reminders === 1 ? "once" : reminders === 2 ? "twice" : `${reminders} times`;
  return (
    <span className="font-medium text-needs">
      {" · "}reminded {times}
      {reminded_at === null ? null : (
        <>
          {reminders === 1 ? ", " : ", last "}
          <span className="whitespace-nowrap">
            at <Moment at={reminded_at} as="clock" />
          </span>
        </>
      )}
    </span>
  );
}
