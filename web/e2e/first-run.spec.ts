/** The first ten minutes: from the printed link to a file that an agent changed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SESSION_MS } from "./bounded.ts";
import { ada, expect, test } from "./journey.ts";
import * as pages from "./pages.ts";
import { picture } from "./pictures.ts";

const prompt = [
  "say I make a note of the **opening hours**, as you asked.",
  "stream 120 40",
  "write HOURS.md Open daily from ten to six.\\nClosed on Sunday.\\n",
].join("\n");

test("a newcomer follows the setup link, starts a session, reads along and allows a change", async ({
  stranger: page,
  fleet,
}) => {
  await page.goto(fleet.setupLink);
  await expect(page.getByRole("heading", { name: "Set up Flotilla" })).toBeVisible();
  await picture(page, "setup");
  await page.getByLabel("Name").fill(ada.name);
  await page.getByLabel("Email").fill(ada.email);
  await page.getByLabel("Password").fill(ada.password);
  await page.getByRole("button", { name: "Create account" }).click();

  await expect(page.getByRole("heading", { name: "Start your first session" })).toBeVisible();
  expect(page.url(), "the token does not stay in the address").not.toContain("token");
  await picture(page, "first-session");

  await page.goto("/hosts");
  const host = page.getByRole("article", { name: "workbench" });
  await expect(host).toContainText("Online");
  await expect(host.getByRole("listitem").filter({ hasText: "Rehearsal" })).toBeVisible();
  await expect(host.getByRole("listitem").filter({ hasText: "Claude Code" })).toContainText("npm install");
  await expect(host.getByRole("listitem").filter({ hasText: fleet.project })).toContainText("shop");
  await picture(page, "hosts-first-run");

  await page.goto("/sessions/new");
  await pages.fillNewSession(page, "Rehearsal", prompt);

  await pages.expectToGrow(page);
  await picture(page, "streaming");

  const approval = pages.card(page, /HOURS\.md/);
  await expect(approval).toBeVisible({ timeout: SESSION_MS });
  await expect(approval).toContainText("Closed on Sunday.");
  await expect(pages.streaming(page)).toHaveCount(0);
  await picture(page, "approval");
  await pages.tap(approval, "Allow");

  const call = pages.call(page, /HOURS\.md/);
  await expect(call).toContainText("+2");
  await call.click();
  await expect(pages.transcript(page)).toContainText("Closed on Sunday.");
  await expect(pages.transcript(page)).toContainText("Allowed by Ada");

  await pages.head(page).getByRole("button", { name: "2 lines added, 0 removed" }).click();
  const review = pages.review(page);
  await expect(review).toContainText("HOURS.md");
  await expect(review).toContainText("Closed on Sunday.");
  await picture(page, "review");
  await page.keyboard.press("Escape");
  await expect(review).toBeHidden();

  expect(readFileSync(join(fleet.project, "README.md"), "utf8")).toContain("nine to five");
});
