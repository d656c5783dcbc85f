import { beforeEach, describe, expect, it } from "vitest";
import { Refusal, Unreachable } from "../api/client.ts";
import { forget, sendQueued, useOutbox, wish } from "./outbox.ts";

const stateOf = (id: string): string | undefined => useOutbox.getState().wishes.get(id)?.state;

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
    await sendQueued();
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
    await sendQueued();
    expect([stateOf("cmd_1"), asked]).toEqual(["failed", 1]);
  });
});
