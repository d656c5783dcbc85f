import { describe, expect, it } from "vitest";
import type { EventRow, GateOpened, KnownEvent, Live } from "../api/wire.ts";
import type { ToolItem } from "./items.ts";
import { emptyLog, fold, foldLives, type SessionLog } from "./reduce.ts";
import { brokenOff, rowsOf, type Standstill } from "./rows.ts";

const at = (seq: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, seq)).toISOString();

function rows(from: number, ...events: readonly KnownEvent[]): EventRow[] {
  return events.map((event, index) => {
    const seq = from + index;
    return { v: 1, id: `evt_${seq}`, session: "ses_1", host: "vps-1", epoch: 1, seq, at: at(seq), ...event };
  });
}

function folded(...events: readonly KnownEvent[]): SessionLog {
  const { log, hole } = fold(emptyLog(0), rows(1, ...events));
  expect(hole).toBeNull();
  return log;
}

const requested = (tool_use: string, tool = "Bash"): KnownEvent => ({
  type: "tool.requested",
  data: { tool_use, turn: "turn_1", tool, input: { command: "ls" }, parent: null },
});
const opened = (tool_use: string, gate = `gate_${tool_use}`): KnownEvent => ({
  type: "gate.opened",
  data: openedGate(tool_use, gate),
});
const openedGate = (tool_use: string, gate: string): GateOpened => ({
  gate,
  kind: "tool",
  tool_use,
  tool: "Bash",
  input: { command: "ls" },
  input_hash: "00",
  summary: "Run a command",
  risks: [],
  turn: "turn_1",
  parent: null,
  questions: [],
  plan: null,
});
const decided = (gate: string): KnownEvent => ({
  type: "gate.decided",
  data: {
    gate,
    decision: { verdict: "allow", input_hash: "00", by: "usr_1", by_name: "Anna", at: at(0) },
  },
});
const released = (tool_use: string): KnownEvent => ({
  type: "tool.released",
  data: { tool_use, gate: `gate_${tool_use}`, allowed: true },
});
const finished = (tool_use: string): KnownEvent => ({
  type: "tool.finished",
  data: { tool_use, outcome: "succeeded", output: "ok", output_bytes: 2 },
});
const said = (message: string, text: string): KnownEvent => ({
  type: "message.assistant",
  data: { turn: "turn_1", message, block: 0, kind: "text", text, parent: null },
});
const wrote = (command: string): KnownEvent => ({
  type: "message.user",
  data: { command, text: `text of ${command}`, delivery: "queue", attachments: [], by: null },
});
const delivered = (command: string): KnownEvent => ({
  type: "message.delivered",
  data: { command, turn: "turn_1" },
});
const turnEnd = (outcome: "completed" | "failed", error: string | null): KnownEvent => ({
  type: "turn.finished",
  data: {
    turn: "turn_1",
    outcome,
    error,
    duration_ms: 1200,
    tokens: { input: 1, output: 2, cache_read: 0, cache_write: 0 },
    cost_usd: 0.01,
    context_tokens: 1000,
    context_tokens_max: 200_000,
  },
});
const turnEnded = turnEnd("completed", null);
const exited = (reason: string): KnownEvent => ({
  type: "agent.exited",
  data: { generation: 1, code: null, signal: 9, expected: false, reason, stderr_tail: "" },
});
const delta = (offset: number, text: string, message = "m1"): Live => ({
  type: "delta",
  data: { turn: "turn_1", message, block: 0, kind: "text", offset, text },
});
const snapshot = (text: string): Live => ({
  type: "snapshot",
  data: { turn: "turn_1", message: "m1", block: 0, kind: "text", text },
});
const written = (log: SessionLog): string[] => log.partials.map((partial) => partial.text);

describe("folding events", () => {
  it("takes a batch whole or not at all", () => {
    const log = folded(wrote("cmd_1"));
    const holed = fold(log, [...rows(2, delivered("cmd_1")), ...rows(4, said("m1", "late"))]);
    expect(holed.hole).toEqual({ expected: 3, got: 4 });
    expect(holed.log).toBe(log);
    expect(log.queue).toHaveLength(1);
  });

  it("ignores what it already has, and takes what overlaps once", () => {
    const events = [wrote("cmd_1"), delivered("cmd_1"), said("m1", "hello"), turnEnded];
    const log = folded(...events);
    expect(fold(log, rows(1, ...events)).log).toBe(log);
    const more = fold(log, [...rows(3, said("m1", "hello"), turnEnded), ...rows(5, said("m2", "again"))]).log;
    expect(more.order).toEqual([...log.order, "speech:m2/0"]);
    expect(more.cursor).toBe(5);
  });

  it("says once why an agent is gone, in a sentence", () => {
    const reason = "the agent was ended by signal 9";
    const { items } = folded(turnEnd("failed", reason), exited(reason));
    expect([...items.values()].map((item) => (item.kind === "turn" ? item.error : item.kind))).toEqual([
      null,
      "notice",
    ]);
    expect(items.get("notice:2")).toMatchObject({ text: "The agent was ended by signal 9." });
  });

  it("comes to the same in any cut", () => {
    const events = rows(
      1,
      wrote("cmd_1"),
      delivered("cmd_1"),
      requested("t1"),
      opened("t1"),
      decided("gate_t1"),
      released("t1"),
      finished("t1"),
      said("m1", "done"),
      turnEnded,
    );
    const whole = fold(emptyLog(0), events).log;
    for (let cut = 1; cut < events.length; cut += 1) {
      const first = fold(emptyLog(0), events.slice(0, cut)).log;
      expect(fold(first, events.slice(cut)).log).toEqual(whole);
    }
  });

  it("counts an event of a newer build and shows nothing of it", () => {
    const [first] = rows(1, wrote("cmd_1"));
    if (!first) throw new Error("no row");
    const log = fold(emptyLog(0), [{ ...first, type: "session.teleported", data: { depth: 3 } }]).log;
    expect(log).toMatchObject({ cursor: 1, order: [] });
  });

  it("leaves items alone that no event touched", () => {
    const before = folded(said("m1", "one"), said("m2", "two"));
    const { log } = fold(before, rows(3, requested("t1")));
    expect(log.items.get("speech:m1/0")).toBe(before.items.get("speech:m1/0"));
  });
});

const session = (change: Partial<Standstill>): Standstill => ({
  id: "ses_1",
  state: "idle",
  can_continue: false,
  continue_reason: null,
  limit: null,
  ...change,
});

describe("work that broke off", () => {
  const limit = { message: "You've hit your limit", resets_at: at(60), resumes: true };
  const reached: KnownEvent = { type: "limit.reached", data: { turn: "turn_1", ...limit } };

  it("tells the words of a limit once", () => {
    const { items } = folded(reached, turnEnd("failed", limit.message));
    expect(items.get("turn:turn_1")).toMatchObject({ outcome: "failed", error: null });
    const other = folded(reached, turnEnd("failed", "something else")).items;
    expect(other.get("turn:turn_1")).toMatchObject({ error: "something else" });
  });

  it("offers to go on at the end, and says the reason unless it stands just above", () => {
    const reason = "the agent was ended by signal 9";
    const above = rowsOf(folded(turnEnd("failed", reason), exited(reason)));
    const broken = session({ state: "asleep", can_continue: true, continue_reason: reason });
    expect(brokenOff(above, broken)).toMatchObject([{ kind: "broken-off", told: true }]);
    expect(brokenOff([], broken)).toMatchObject([{ kind: "broken-off", told: false }]);
    expect(brokenOff(above, session({ limit }))).toHaveLength(1);
  });

  it("offers nothing in a session that has nothing to go on with", () => {
    expect(brokenOff([], session({}))).toEqual([]);
    expect(brokenOff([], session({ state: "ended", can_continue: true, limit }))).toEqual([]);
    expect(brokenOff([], null)).toEqual([]);
  });
});

describe("a tool call", () => {
  const life = [requested("t1"), opened("t1"), decided("gate_t1"), released("t1"), finished("t1")];

  it("is one item from the wish to the result", () => {
    const log = folded(...life);
    expect(log.order).toEqual(["tool:t1"]);
    const item = log.items.get("tool:t1") as ToolItem;
    expect(item.gate?.decided?.decision.by_name).toBe("Anna");
    expect([item.released?.at, item.finished?.at]).toEqual([at(4), at(5)]);
    expect(item.finished?.outcome).toBe("succeeded");
  });

  it("is shown when only its end lies in the part of the log that is held", () => {
    const log = folded(finished("t1"));
    expect(log.items.get("tool:t1")).toMatchObject({ tool: "", finished: { output: "ok" } });
  });

  it("that is asked again under the same gate waits again", () => {
    const log = folded(requested("t1"), opened("t1"), decided("gate_t1"), opened("t1"));
    expect((log.items.get("tool:t1") as ToolItem).gate?.decided).toBeNull();
  });

  it("that outlives its agent still waits, and it is said once that another was started", () => {
    const ready: KnownEvent = {
      type: "agent.ready",
      data: { agent: "claude", version: null, model: null, generation: 2 },
    };
    const log = folded(ready, requested("t1"), opened("t1"), exited("it was killed"), ready, ready);
    const notices = [...log.items.values()].filter(({ kind }) => kind === "notice");
    expect(notices.map((item) => item.kind === "notice" && item.text)).toEqual([
      "It was killed.",
      "The agent was started again. What it asked still waits for you, and has not run.",
    ]);
  });

  it("carries the files it changed", () => {
    const change: KnownEvent = {
      type: "file.changed",
      data: {
        path: "a.rs",
        old_path: null,
        change: "modified",
        added: 1,
        removed: 0,
        patch: "@@",
        binary: false,
        truncated: false,
        tool_use: "t1",
      },
    };
    expect((folded(requested("t1"), change).items.get("tool:t1") as ToolItem).files).toHaveLength(1);
    expect(folded(change).order).toEqual(["file:1"]);
  });
});

describe("a person's message", () => {
  it("waits in the queue until the agent took it up, and stands where it was taken up", () => {
    const queued = folded(said("m1", "working"), wrote("cmd_1"));
    expect(queued.queue.map((item) => item.command)).toEqual(["cmd_1"]);
    const { log } = fold(queued, rows(3, said("m2", "still"), delivered("cmd_1")));
    expect(log.queue).toEqual([]);
    expect(log.order).toEqual(["speech:m1/0", "speech:m2/0", "user:cmd_1"]);
  });

  it("that comes twice is shown once", () => {
    expect(folded(wrote("cmd_1"), wrote("cmd_1")).queue).toHaveLength(1);
    expect(folded(wrote("cmd_1"), delivered("cmd_1"), wrote("cmd_1")).queue).toHaveLength(0);
  });
});

describe("text that is being written", () => {
  const start = emptyLog(0);

  it("grows by its pieces, whatever comes twice", () => {
    const log = foldLives(start, [
      delta(0, "Hel"),
      delta(3, "lo"),
      delta(3, "lo"),
      delta(3, "lo wor"),
      delta(9, "ld"),
    ]);
    expect(written(log)).toEqual(["Hello world"]);
  });

  it("goes on after a lost piece and is mended by a snapshot", () => {
    let log = foldLives(start, [delta(0, "abc"), delta(6, "ghi")]);
    expect(log.partials[0]).toMatchObject({ start: 6, text: "ghi" });
    log = foldLives(log, [snapshot("abcdefg")]);
    expect(log.partials[0]).toMatchObject({ start: 0, text: "abcdefghi" });
  });

  it("is never shortened by an old snapshot", () => {
    expect(written(foldLives(start, [delta(0, "abcdef"), snapshot("abc")]))).toEqual(["abcdef"]);
  });

  it("is void once the block is in the log, also for pieces that come late", () => {
    let log = foldLives(start, [delta(0, "Hel")]);
    log = fold(log, rows(1, said("m1", "Hello"))).log;
    expect(log.partials).toEqual([]);
    expect(foldLives(log, [delta(3, "lo")])).toBe(log);
  });

  it("keeps the key of its row when it becomes final", () => {
    const live = rowsOf(foldLives(start, [delta(0, "Hel")]));
    const final = rowsOf(fold(start, rows(1, said("m1", "Hello"))).log);
    expect(live.map((row) => row.key)).toEqual(final.map((row) => row.key));
  });

  it("is thrown away when the turn or the agent ends", () => {
    const log = foldLives(start, [delta(0, "Hel", "m9")]);
    expect(fold(log, rows(1, turnEnded)).log.partials).toEqual([]);
  });
});

const call = (id: string): KnownEvent[] => [requested(id), finished(id)];

describe("rows", () => {
  it("fold a closed run of calls that went well", () => {
    const log = folded(...call("a"), ...call("b"), ...call("c"), said("m1", "done"));
    expect(rowsOf(log).map((row) => row.kind)).toEqual(["run", "item"]);
  });

  it("leave a run open that may still grow", () => {
    const started: KnownEvent = { type: "turn.started", data: { turn: "turn_1", command: null } };
    const log = folded(started, ...call("a"), ...call("b"), ...call("c"));
    expect(rowsOf(log).map((row) => row.kind)).toEqual(["tool", "tool", "tool"]);
  });

  it("never fold away a call that waits for a person", () => {
    const log = folded(
      ...call("a"),
      ...call("b"),
      ...call("c"),
      requested("d"),
      opened("d"),
      said("m1", "…"),
    );
    expect(rowsOf(log).map((row) => row.key)).toEqual(["run:tool:a", "tool:d", "speech:m1/0"]);
  });
});
