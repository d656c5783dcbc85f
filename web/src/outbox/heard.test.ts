import { beforeEach, describe, expect, it } from "vitest";
import { heard, passedOver } from "./heard.ts";
import { forget, useOutbox, wish } from "./outbox.ts";

const ask = (id: string, answer: "accepted" | null): Promise<void> =>
  wish({
    id,
    session: "ses_1",
    text: id,
    send: () => (answer ? Promise.resolve(answer) : new Promise(() => {})),
  });
const kept = (): string[] => [...useOutbox.getState().wishes.keys()];

describe("a message that was sent from here", () => {
  beforeEach(() => {
    for (const id of kept()) forget(id);
  });

  it("is the log's to tell of once its session has it", async () => {
    await ask("cmd_1", "accepted");
    heard("cmd_1");
    heard("cmd_of_somebody_else");
    expect(kept()).toEqual([]);
  });

  it("is not held for on its way when the part of the log that has it was passed over", async () => {
    await ask("cmd_1", "accepted");
    await ask("cmd_2", "accepted");
    void ask("cmd_3", null);
    await wish({ id: "gate_1", session: "ses_1", text: "", send: () => Promise.resolve("accepted") });
    passedOver("ses_1", ["cmd_2"]);
    expect(kept()).toEqual(["cmd_2", "cmd_3", "gate_1"]);
  });
});
