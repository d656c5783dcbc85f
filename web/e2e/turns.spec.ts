/** The life of a session beside its gates: interrupted, gone on with, ended. */
import { SESSION_MS } from "./bounded.ts";
import { expect, test } from "./journey.ts";
import * as pages from "./pages.ts";
import { picture } from "./pictures.ts";

test("a person interrupts a turn that streams, sends the next message, and ends the session", async ({
  desk: page,
  api,
}) => {
  const session = await api.startSession("rehearsal", "stream 5000 20");
  await page.goto(`/sessions/${session}`);
  await expect(pages.streaming(page).last()).toBeVisible({ timeout: SESSION_MS });

  await page.getByRole("button", { name: "Interrupt" }).click();
  await expect(pages.transcript(page)).toContainText("interrupted", { timeout: SESSION_MS });
  await expect(pages.streaming(page)).toHaveCount(0);
  await expect(pages.head(page)).toContainText("Idle");

  await pages.composer(page).fill("say The till is counted.");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(pages.composer(page)).toHaveValue("");
  await expect(pages.transcript(page)).toContainText("say The till is counted.");
  await expect(
    pages.transcript(page).getByRole("paragraph").getByText("The till is counted.", { exact: true }),
  ).toBeVisible();
  const exits = (await api.events(session)).filter(({ type }) => type === "agent.exited");
  expect(exits, "it is the same agent that goes on").toEqual([]);
  await picture(page, "interrupted");

  await pages.head(page).getByRole("button", { name: "End", exact: true }).click();
  await pages
    .head(page)
    .getByRole("button", { name: /^End it/ })
    .click();
  await expect(page.getByText("This session has ended.")).toBeVisible({ timeout: SESSION_MS });
  await expect(pages.head(page)).toContainText("Ended");
  await expect(pages.transcript(page)).toContainText("The till is counted.");
  await api.expectWholeLog(session);
  await picture(page, "ended");
});
