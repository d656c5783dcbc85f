/** The main job with the real Claude Code, which speaks to a scripted model on this machine. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SESSION_MS } from "./bounded.ts";
import { expect, test } from "./journey.ts";
import * as pages from "./pages.ts";
import { picture } from "./pictures.ts";

test.use({ withClaude: true });

const prompt = [
  "stream 120 40",
  "read README.md",
  "write HOURS.md Open daily from ten to six.",
  "run cat HOURS.md",
  "say The hours are written down.",
].join("\n");

test("the real Claude Code streams, asks to read, to write and to run, and changes the file once allowed", async ({
  desk: page,
  api,
  fleet,
}) => {
  await pages.startSession(page, "Claude Code", prompt);
  const session = pages.sessionOf(page);
  await pages.expectToGrow(page);

  await pages.allow(page, /README\.md/);
  const approval = pages.card(page, /HOURS\.md/);
  await expect(approval).toContainText("Open daily from ten to six.", { timeout: SESSION_MS });
  await picture(page, "claude-approval");
  expect(existsSync(join(await api.worktree(session), "HOURS.md")), "nothing runs undecided").toBe(false);
  await pages.tap(approval, "Allow");

  await pages.allow(page, /cat HOURS\.md/);
  await expect(pages.transcript(page)).toContainText("The hours are written down.", { timeout: SESSION_MS });
  await api.untilState(session, "idle");
  await api.expectWholeLog(session);

  expect(readFileSync(join(await api.worktree(session), "HOURS.md"), "utf8")).toContain("from ten to six");
  expect(existsSync(join(fleet.project, "HOURS.md")), "the human's checkout is not written").toBe(false);
  await picture(page, "claude");
  await pages
    .head(page)
    .getByRole("button", { name: /1 line added/ })
    .click();
  await expect(pages.review(page)).toContainText("Open daily from ten to six.");
});
