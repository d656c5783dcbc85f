/** The other things a person says of a gate: no and why, an answer, a plan that is good. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SESSION_MS } from "./bounded.ts";
import { expect, test } from "./journey.ts";
import * as pages from "./pages.ts";
import { picture } from "./pictures.ts";

test("a denial with a reason reaches the agent, stands in the transcript, and the tool never runs", async ({
  desk: page,
  api,
}) => {
  const reason = "Not there: docs/ is the place — “please”";
  const session = await api.startSession("rehearsal", "write HOURS.md Open daily\nsay I heard you.");
  await page.goto(`/sessions/${session}`);

  const approval = pages.card(page, /HOURS\.md/);
  await approval.getByRole("button", { name: "Deny and say instead" }).click();
  await approval.getByLabel(/What should rehearsal know/).fill(reason);
  await picture(page, "denial");
  await pages.tap(approval, "Deny with words");

  await expect(pages.transcript(page)).toContainText("I heard you.");
  const call = pages.call(page, /HOURS\.md/);
  await expect(call).toContainText("denied");
  await call.click();
  await expect(pages.transcript(page)).toContainText(`Denied by Ada: “${reason}”`);
  const finished = (await api.events(session)).find(({ type }) => type === "tool.finished");
  expect(finished?.data["output"], "the agent was told word for word").toContain(reason);
  expect(existsSync(join(await api.worktree(session), "HOURS.md"))).toBe(false);
});

test("a person chooses an answer, gives one in words of their own, and approves a plan", async ({
  desk: page,
  api,
}) => {
  const script = [
    "ask Which day is quiet? | Monday | Tuesday",
    "ask What should the sign say? | Closed | Back soon",
    "plan # Close on the quiet day\\n\\n1. Change the **sign**\\n2. Tell the neighbours",
    "write SIGN.md {answer}",
  ].join("\n");
  const session = await api.startSession("rehearsal", script);
  await page.goto(`/sessions/${session}`);

  const choice = pages.card(page, /Which day is quiet\?/);
  await expect(choice).toBeVisible({ timeout: SESSION_MS });
  await expect(
    choice.getByRole("button", { name: "Answer", exact: true }),
    "there is no answer yet",
  ).toBeDisabled();
  await choice.getByRole("radio", { name: "Monday" }).check();
  await picture(page, "question");
  await pages.tap(choice, "Answer");

  const words = pages.card(page, /What should the sign say\?/);
  await words.getByLabel("Another answer to: What should the sign say?").fill("Gone fishing");
  await pages.tap(words, "Answer");

  const plan = pages.card(page, /plan/i);
  await expect(plan.getByRole("heading", { name: "Close on the quiet day" })).toBeVisible({
    timeout: SESSION_MS,
  });
  await picture(page, "plan");
  await pages.tap(plan, "Approve");

  await pages.allow(page, /SIGN\.md/);
  await api.untilState(session, "idle");
  expect(readFileSync(join(await api.worktree(session), "SIGN.md"), "utf8")).toContain("Gone fishing");
  await expect(pages.call(page, /Which day is quiet\?/)).toContainText("Monday");
  await expect(pages.call(page, /What should the sign say\?/)).toContainText("Gone fishing");
  await expect(pages.call(page, /Plan/)).toContainText("approved");
});
