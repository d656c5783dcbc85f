/** What axe finds on the pages a person meets, in light and in dark: nothing. */
import { expectNoViolation } from "./axe.ts";
import { SESSION_MS } from "./bounded.ts";
import { expect, test } from "./journey.ts";
import * as pages from "./pages.ts";

test("no page breaks a rule that axe knows, in light or in dark", async ({ desk: page, stranger, api }) => {
  const session = await api.startSession("rehearsal", "say **Good** morning.\nwrite HOURS.md Open daily");
  const question = await api.startSession("rehearsal", "ask Which day? | Monday | Tuesday");
  await api.waitingGate(session);
  await api.waitingGate(question);

  await stranger.goto("/");
  await expect(stranger.getByRole("button", { name: "Sign in" })).toBeVisible();
  await expectNoViolation(stranger, "sign-in");

  await page.goto("/sessions");
  await expect(page.getByRole("link", { name: /Good/ })).toBeVisible();
  await expectNoViolation(page, "sessions");

  await page.goto("/sessions/new");
  await expect(page.getByRole("button", { name: "Start session" })).toBeVisible();
  await expectNoViolation(page, "new session");

  await page.goto(`/sessions/${session}`);
  await expect(pages.card(page, /HOURS\.md/)).toBeVisible({ timeout: SESSION_MS });
  await expectNoViolation(page, "session with a gate");

  await page.goto("/approvals");
  await expect(pages.card(page, /Which day/)).toBeVisible();
  await expectNoViolation(page, "approvals");

  await page.goto("/hosts");
  await expect(page.getByRole("article", { name: "workbench" })).toBeVisible();
  await expectNoViolation(page, "hosts");
});
