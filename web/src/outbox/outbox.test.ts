import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Refusal, Unreachable } from "../api/client.ts";
import { forget, sendQueued, useOutbox, wish } from "./outbox.ts";

const stateOf = (id: string): string | undefined => useOutbox.getState().wishes.get(id)?.state;

/** A wish whose attempts are answered by hand. */
function hanging(): { given: AbortSignal[]; answer: (attempt: number) => void } {
  const given: AbortSignal[] = [];
  const answers: (() => void)[] = [];
  const send = async (givenUp: AbortSignal): Promise<"accepted"> => {
    given.push(givenUp);
    await new Promise<void>((resolve) => answers.push(resolve));
    return "accepted";
  };
  void wish({ id: "cmd_1", session: "ses_1", text: "", send });
  return { given, answer: (attempt) => answers[attempt]?.() };
}

describe("what a person asked for", () => {
  beforeEach(() => {
    for (const id of useOutbox.getState().wishes.keys()) forget(id);
  });

  it("is kept while nobody answers, and sent in order when somebody does", async () => {
    let reachable = false;
    const arrived: string[] = [];
    const ask = (id: string): Promise<void> =>
      wish({
        id,
        session: "ses_1",
        text: id,
        send: async () => {
          if (!reachable) throw new Unreachable("refused");
          arrived.push(id);
          return "accepted";
        },
      });
    await ask("cmd_1");
    await ask("cmd_2");
    expect([stateOf("cmd_1"), stateOf("cmd_2")]).toEqual(["queued", "queued"]);
    reachable = true;
    await sendQueued(Date.now());
    expect(arrived).toEqual(["cmd_1", "cmd_2"]);
    expect(stateOf("cmd_2")).toBe("accepted");
  });

  it("is not sent again by itself after a no", async () => {
    let asked = 0;
    await wish({
      id: "cmd_1",
      session: "ses_1",
      text: "",
      send: async () => {
        asked += 1;
        throw new Refusal(413, { error: { code: "too_big", message: "Attach it.", hint: null } });
      },
    });
    await sendQueued(Date.now());
    expect([stateOf("cmd_1"), asked]).toEqual(["failed", 1]);
  });

  describe("that hangs", () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    it("is shown as queued, is left to the coordinator that has it, and is accepted when that says so", async () => {
      const connectedAt = Date.now() - 1;
      const { given, answer } = hanging();
      expect(stateOf("cmd_1")).toBe("sending");
      await vi.advanceTimersByTimeAsync(5000);
      expect(stateOf("cmd_1")).toBe("queued");
      await sendQueued(connectedAt);
      expect(given).toHaveLength(1);
      answer(0);
      await vi.advanceTimersByTimeAsync(0);
      expect(stateOf("cmd_1")).toBe("accepted");
    });

    it("is given up and sent again when the connection is a new one", async () => {
      const { given, answer } = hanging();
      await vi.advanceTimersByTimeAsync(5000);
      void sendQueued(Date.now());
      expect(given.map(({ aborted }) => aborted)).toEqual([true, false]);
      answer(0);
      await vi.advanceTimersByTimeAsync(0);
      expect(stateOf("cmd_1"), "the first has no say any more").toBe("sending");
      answer(1);
      await vi.advanceTimersByTimeAsync(0);
      expect(stateOf("cmd_1")).toBe("accepted");
    });
  });
});
