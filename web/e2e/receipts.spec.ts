/** How far a message and a decision are, while the host that they are for is silent and after it is back. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, type Locator, type Page } from "@playwright/test";
import { SESSION_MS, UP_MS } from "./bounded.ts";
import { test } from "./journey.ts";
import * as pages from "./pages.ts";
import { picture } from "./pictures.ts";

test("a message for a silent host is accepted and no more, here, elsewhere and after a reload, and arrives once", async ({
  desk: page,
  stranger: other,
  api,
  fleet,
}) => {
  const session = await api.startSession("rehearsal", "say The shop is open.");
  await api.untilState(session, "idle");
  await page.goto(`/sessions/${session}`);
  await expect(pages.transcript(page)).toContainText("The shop is open.");

  const letItGoOn = fleet.freezeHost();
  await expect(pages.head(page)).toContainText("workbench last heard", { timeout: UP_MS });
  await expect(pages.head(page)).toContainText("The session goes on once it is back.");
  await pages.composer(page).fill("say The till is counted.");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await expect(waiting(page)).toContainText("Accepted; workbench has not been heard for");
  expect(await steps(waiting(page))).toEqual(["written", "accepted"]);
  await picture(page, "silent-host");

  await page.reload();
  await expect(waiting(page)).toContainText("say The till is counted.");
  await expect(waiting(page)).toContainText("Accepted; workbench has not been heard for", {
    timeout: UP_MS,
  });
  await other.goto(`/sessions/${session}`);
  await pages.signIn(other);
  await expect(waiting(other)).toContainText("say The till is counted.");
  expect(await steps(waiting(other))).toEqual(["written", "accepted"]);

  letItGoOn();
  for (const browser of [page, other]) {
    const said = pages.transcript(browser).getByText("The till is counted.", { exact: true });
    await expect(said).toHaveCount(1, { timeout: UP_MS });
    await expect(waiting(browser)).toHaveCount(0);
  }
  const message = pages.transcript(page).getByText("say The till is counted.").locator("..");
  expect(await steps(message)).toEqual(["written", "accepted", "delivered", "taken up"]);
  await api.expectWholeLog(session);
});

test("a decision for a silent host is decided and no more, also after a reload, and runs once it is back", async ({
  desk: page,
  api,
  fleet,
}) => {
  const session = await api.startSession("rehearsal", "run echo counted >> till.txt\nsay Done for today.");
  const gate = await api.waitingGate(session);
  await page.goto(`/sessions/${session}`);
  const approval = page.locator(`[data-gate="${gate}"]`);
  await expect(approval).toBeVisible({ timeout: SESSION_MS });
  expect(await api.worktree(session)).toBeTruthy();

  const letItGoOn = fleet.freezeHost();
  await expect(pages.head(page)).toContainText("What you send or decide is kept.", { timeout: UP_MS });
  await expect(page.getByRole("main").getByText(/workbench last heard/), "it is said once").toHaveCount(1);
  await picture(page, "silent-host-gate");
  await pages.tap(approval, "Allow");
  await expect(approval).toContainText("Allowed by you. On its way; workbench has not been heard for");
  expect(await steps(approval)).toEqual(["sent", "decided"]);
  await picture(page, "decided-on-its-way");

  await page.reload();
  await expect(approval).toContainText("Allowed by you.", { timeout: SESSION_MS });
  expect(await steps(approval)).toEqual(["sent", "decided"]);
  await expect(pages.call(page, /echo counted/)).toContainText("decision on its way");
  await page.goto("/approvals");
  await expect(approval).toContainText("Allowed by you.");

  letItGoOn();
  await expect(approval).toContainText("The tool ran.", { timeout: UP_MS });
  expect(await steps(approval)).toEqual(["sent", "decided", "delivered", "ran"]);
  await picture(page, "decided-and-ran");
  await api.untilState(session, "idle");
  const ran = readFileSync(join(await api.worktree(session), "till.txt"), "utf8");
  expect(ran, "the command ran once").toBe("counted\n");
});

const waiting = (page: Page): Locator => page.getByRole("list", { name: "Messages that wait" });

/** The words of the dots that are filled. */
async function steps(place: Locator): Promise<string[]> {
  const filled = await place.locator("[data-step=done]").allInnerTexts();
  return filled.map((text) => text.split("\n")[0]?.trim() ?? "");
}
