/** An agent that is gone in the middle of a turn: what a person is told, and the one tap that goes on. */
import { expect, type Page } from "@playwright/test";
import { expectNoViolation } from "./axe.ts";
import { SESSION_MS } from "./bounded.ts";
import { type Api } from "./api.ts";
import { test } from "./journey.ts";
import * as pages from "./pages.ts";
import { picture } from "./pictures.ts";

test("after an agent has crashed in its turn the page says so, and one tap goes on", async ({
  desk: page,
  api,
}) => {
  const title = "Count the till";
  const session = await api.startSession("rehearsal", "say I count the till.\ncrash", title);
  await page.goto(`/sessions/${session}`);
  const panel = pages.brokenOff(page);
  await expect(panel).toContainText("This turn broke off.", { timeout: SESSION_MS });
  await expect(page.getByText(/agent was ended by signal 9/i), "it is said once").toHaveCount(1);
  await expect(pages.head(page)).toContainText("Broken off");
  await expect(panel).toBeInViewport({ ratio: 1 });
  await expectNoViolation(page, "broken off");
  await picture(page, "broken-off");

  await page.goto("/sessions");
  await expect(pages.line(page, title)).toContainText("Broken off");
  await picture(page, "broken-off-list");

  await page.goto(`/sessions/${session}`);
  await expectToGoOn(page, api, session);
  await picture(page, "broken-off-continued");
});

test("after an agent was killed while it wrote, one tap goes on", async ({ desk: page, api, fleet }) => {
  const session = await api.startSession("rehearsal", "stream 5000 20");
  await page.goto(`/sessions/${session}`);
  await expect(pages.streaming(page).last()).toBeVisible({ timeout: SESSION_MS });
  await fleet.killAgent(await api.worktree(session));

  await expect(pages.brokenOff(page)).toBeInViewport({ ratio: 1, timeout: SESSION_MS });
  await expect(pages.transcript(page)).toContainText("The agent was ended by signal 9");
  await expect(pages.streaming(page)).toHaveCount(0);
  await picture(page, "killed");
  await expectToGoOn(page, api, session);
});

/** The tap is one message, the next agent knows the conversation, and nothing offers a second tap. */
async function expectToGoOn(page: Page, api: Api, session: string): Promise<void> {
  await pages.brokenOff(page).getByRole("button", { name: "Continue" }).click();
  await expect(pages.transcript(page)).toContainText("I was started again and remember 1 turn.", {
    timeout: SESSION_MS,
  });
  await expect(pages.brokenOff(page)).toHaveCount(0);
  await expect(pages.head(page)).toContainText("Idle", { timeout: SESSION_MS });
  const messages = (await api.events(session)).filter(({ type }) => type === "message.user");
  expect(messages.slice(1).map(({ data }) => data["text"])).toEqual(["continue"]);
  await api.expectWholeLog(session);
}
