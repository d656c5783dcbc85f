/** The next log while a batch is folded into it: copied once a batch, not once an event. Used by `reduce` alone. */
import { clockTime } from "../ui/time.ts";
import type { GateOpened, KnownEventRow } from "../api/wire.ts";
import { assertNever } from "../ui/never.ts";
import type { SessionFacts } from "./facts.ts";
import type { GateProgress, Item, NoticeItem, ToolItem, UserItem } from "./items.ts";
import { blockKey, dropPartial, noPartials } from "./live.ts";
import type { SessionLog } from "./reduce.ts";

type Moment = Pick<KnownEventRow, "seq" | "at">;

export class Draft {
  private readonly log: SessionLog;
  private readonly items: Map<string, Item>;
  private added: string[] = [];
  private queue: readonly UserItem[];
  private partials: SessionLog["partials"];
  private facts: SessionFacts;

  constructor(log: SessionLog) {
    this.log = log;
    this.items = new Map(log.items);
    this.queue = log.queue;
    this.partials = log.partials;
    this.facts = log.facts;
  }

  finish(cursor: number): SessionLog {
    return {
      from: this.log.from,
      cursor,
      order: this.added.length > 0 ? [...this.log.order, ...this.added] : this.log.order,
      items: this.items,
      queue: this.queue,
      partials: this.partials,
      facts: this.facts,
    };
  }

  take(event: KnownEventRow): void {
    const { at, seq } = event;
    switch (event.type) {
      case "session.opened": {
        const { title, branch, worktree, isolated, agent } = event.data;
        return this.learn({ title, branch, worktree, isolated, agent });
      }
      case "session.state":
        return this.learn({ state: event.data.state, stateReason: event.data.reason ?? null });
      case "session.ended":
        this.learn({ state: "ended", stateReason: event.data.reason, turn: null, retry: null });
        this.partials = noPartials;
        return this.note(
          event,
          event.data.clean ? "quiet" : "error",
          sentence(`The session has ended: ${event.data.reason}`),
        );
      case "agent.ready": {
        const { agent, version, model } = event.data;
        if (this.facts.agentLost) this.note(event, "quiet", this.startedAgain());
        return this.learn({
          agent,
          agentVersion: version ?? null,
          model: model ?? null,
          retry: null,
          agentLost: false,
        });
      }
      case "agent.exited": {
        const { expected, reason, stderr_tail: detail } = event.data;
        this.learn({ retry: null, agentLost: !expected });
        this.partials = noPartials;
        this.sayOnce(reason);
        return this.note(event, expected ? "quiet" : "error", sentence(reason), null, expected ? "" : detail);
      }
      case "agent.retrying":
        return this.learn({ retry: { ...event.data, at } });
      case "turn.started":
        return this.learn({ turn: { id: event.data.turn, since: at } });
      case "turn.finished": {
        const { turn, outcome, error, duration_ms: durationMs, tokens, cost_usd: costUsd } = event.data;
        this.learn({
          turn: null,
          retry: null,
          contextTokens: event.data.context_tokens ?? this.facts.contextTokens,
          contextTokensMax: event.data.context_tokens_max ?? this.facts.contextTokensMax,
        });
        this.partials = noPartials;
        const id = `turn:${turn}`;
        const told = this.limitSaid(error ?? "");
        return this.put({
          kind: "turn",
          id,
          at,
          seq,
          outcome,
          error: told ? null : (error ?? null),
          durationMs,
          tokens,
          costUsd,
        });
      }
      case "message.user": {
        const { command, text, delivery, attachments, by } = event.data;
        if (this.items.has(`user:${command}`) || this.queue.some((item) => item.command === command)) return;
        const id = `user:${command}`;
        const item: UserItem = {
          kind: "user",
          id,
          at,
          seq,
          command,
          text,
          delivery,
          attachments,
          deliveredAt: null,
          by,
        };
        this.queue = [...this.queue, item];
        return;
      }
      case "message.delivered": {
        const item = this.queue.find((queued) => queued.command === event.data.command);
        if (!item) return;
        this.queue = this.queue.filter((queued) => queued !== item);
        return this.put({ ...item, seq, deliveredAt: at });
      }
      case "message.assistant": {
        const { message, block, kind, text, parent } = event.data;
        const id = blockKey(message, block);
        this.partials = dropPartial(this.partials, id);
        this.learn({ retry: null });
        const thinking = kind === "thinking";
        return this.put({
          kind: "speech",
          id,
          at,
          seq,
          thinking,
          text,
          streaming: false,
          cutAtStart: false,
          parent: parent ?? null,
        });
      }
      case "tool.requested": {
        const { tool_use: toolUse, tool, input, parent } = event.data;
        return this.tool(toolUse, event, (item) => ({ ...item, tool, input, parent: parent ?? null }));
      }
      case "gate.opened": {
        const { tool_use: toolUse, tool, input, parent } = event.data;
        return this.tool(toolUse, event, (item) => ({
          ...item,
          tool: item.tool || tool,
          input: item.input ?? input,
          parent: item.parent ?? parent ?? null,
          gate: reopened(event.data, at),
        }));
      }
      case "gate.decided": {
        const { gate, decision } = event.data;
        this.learn({ people: { ...this.facts.people, [decision.by]: decision.by_name } });
        return this.gate(gate, (progress) => ({ ...progress, decided: { decision, at } }));
      }
      case "gate.withdrawn": {
        const { gate, reason } = event.data;
        return this.gate(gate, (progress) => ({ ...progress, withdrawn: { reason, at } }));
      }
      case "gate.reminded":
        return;
      case "limit.reached": {
        const { message, resets_at: resetsAt } = event.data;
        const until = resetsAt ? ` It is over at ${clockTime(resetsAt, Date.parse(at))}.` : "";
        return this.note(event, "warning", `${sentence(message)}${until}`);
      }
      case "limit.changed":
        return this.note(
          event,
          "quiet",
          event.data.resumes
            ? "Goes on by itself once the usage limit is over."
            : "Waits for you once the usage limit is over.",
        );
      case "tool.released": {
        const { tool_use: toolUse, allowed } = event.data;
        return this.tool(toolUse, event, (item) => ({ ...item, released: { at, allowed } }));
      }
      case "tool.finished": {
        const { tool_use: toolUse, outcome, output, output_bytes: outputBytes } = event.data;
        return this.tool(toolUse, event, (item) => ({
          ...item,
          finished: { at, outcome, output, outputBytes, wholeAt: event.object ? event.seq : null },
        }));
      }
      case "file.changed": {
        const change = event.data;
        if (change.tool_use && this.items.has(toolId(change.tool_use))) {
          return this.tool(change.tool_use, event, (item) => ({ ...item, files: [...item.files, change] }));
        }
        return this.put({ kind: "file", id: `file:${seq}`, at, seq, change });
      }
      case "warning":
        return this.note(event, "warning", event.data.message, event.data.hint ?? null);
      default:
        return assertNever(event);
    }
  }

  private learn(facts: globalThis.Partial<SessionFacts>): void {
    this.facts = { ...this.facts, ...facts };
  }

  private put(item: Item): void {
    if (!this.items.has(item.id)) this.added.push(item.id);
    this.items.set(item.id, item);
  }

  /** A turn that failed with its agent: what is said of the agent is not said of the turn as well. */
  private sayOnce(reason: string): void {
    const last = this.items.get(this.added.at(-1) ?? this.log.order.at(-1) ?? "");
    if (last?.kind === "turn" && last.error === reason) this.put({ ...last, error: null });
  }

  /** A turn that ran into a usage limit: what is said of the limit is not said of the turn as well. */
  private limitSaid(error: string): boolean {
    const last = this.items.get(this.added.at(-1) ?? this.log.order.at(-1) ?? "");
    return (
      error !== "" &&
      last?.kind === "notice" &&
      last.tone === "warning" &&
      last.text.startsWith(sentence(error))
    );
  }

  private startedAgain(): string {
    const waits = [...this.items.values()].some(
      (item) => item.kind === "tool" && item.gate && !item.gate.decided && !item.gate.withdrawn,
    );
    return waits
      ? "The agent was started again. What it asked still waits for you, and has not run."
      : "The agent was started again.";
  }

  private note(
    row: Moment,
    tone: NoticeItem["tone"],
    text: string,
    hint: string | null = null,
    detail = "",
  ): void {
    this.put({ kind: "notice", id: `notice:${row.seq}`, at: row.at, seq: row.seq, tone, text, hint, detail });
  }

  /** Whatever of a call is heard first makes its item: the beginning may lie before the part of the log that is held. */
  private tool(toolUse: string, row: Moment, change: (item: ToolItem) => ToolItem): void {
    const id = toolId(toolUse);
    const known = this.items.get(id);
    const item: ToolItem =
      known?.kind === "tool" ? known : { ...blankTool, id, toolUse, at: row.at, seq: row.seq };
    this.put(change(item));
  }

  private gate(gate: string, change: (progress: GateProgress) => GateProgress): void {
    for (const item of this.items.values()) {
      if (item.kind !== "tool" || item.gate?.opened.gate !== gate) continue;
      this.put({ ...item, gate: change(item.gate) });
      return;
    }
  }
}

/** Asked, or asked again under the same id after the agent was restarted: what was decided then no longer holds. */
function reopened(opened: GateOpened, openedAt: string): GateProgress {
  return { opened, openedAt, decided: null, withdrawn: null };
}

function sentence(words: string): string {
  const text = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function toolId(toolUse: string): string {
  return `tool:${toolUse}`;
}

const blankTool: Omit<ToolItem, "id" | "toolUse" | "at" | "seq"> = {
  kind: "tool",
  tool: "",
  input: null,
  parent: null,
  gate: null,
  released: null,
  finished: null,
  files: [],
};
