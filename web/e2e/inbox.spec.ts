/** Everything that waits, in one place: decided with the keys at a desk, with a thumb on a phone. */
import type { Page } from "@playwright/test";
import { SESSION_MS } from "./bounded.ts";
import type { Api } from "./api.ts";
import { expect, test } from "./journey.ts";
import * as pages from "./pages.ts";
import { picture } from "./pictures.ts";

test("the inbox shows who has waited longest first, and the keys decide the one they stand on @wide", async ({
  desk: page,
  api,
}) => {
  const { older, newer } = await twoThatWait(page, api);
  await picture(page, "inbox");

  await page.keyboard.press("j");
  await key(page, "y", newer);
  await expect(newer).toContainText("Allowed by you. The tool ran.");
  await expect(older.getByRole("button", { name: "Allow" }), "the other still waits").toBeVisible();

  await page.keyboard.press("k");
  await key(page, "n", older);
  await expect(older).toContainText("Denied by you. The tool did not run.");
  await expect(page.getByText("Nothing waits for you").first()).toBeVisible();
});

test("on a phone the badge counts who waits, and goes when nobody does @phone", async ({
  desk: page,
  api,
}) => {
  const { older, newer } = await twoThatWait(page, api);
  const badge = pages.places(page).getByRole("link", { name: /Approvals/ });
  await expect(badge).toContainText("2 waiting for you");
  await picture(page, "inbox");

  await pages.tap(older, "Allow");
  await expect(badge).toContainText("1 waiting for you");
  await pages.tap(newer, "Deny");
  await expect(badge).not.toContainText("waiting");
});

async function twoThatWait(page: Page, api: Api) {
  const first = await api.startSession("rehearsal", "write HOURS.md Open daily from ten to six.");
  await api.waitingGate(first);
  const second = await api.startSession("rehearsal", "run python3 src/till.py");
  await api.waitingGate(second);
  await page.goto("/approvals");
  const older = pages.card(page, /HOURS\.md/);
  const newer = pages.card(page, /till\.py/);
  await expect(newer).toBeVisible({ timeout: SESSION_MS });
  await expect(page.getByRole("article").first()).toHaveAccessibleName(/HOURS\.md/);
  return { older, newer };
}

/** A card takes no key in its first moments, as it takes no tap. */
async function key(page: Page, name: string, card: ReturnType<typeof pages.card>): Promise<void> {
  await expect(async () => {
    if ((await card.getByRole("button", { name: "Allow" }).count()) > 0) await page.keyboard.press(name);
    await expect(card.getByRole("button", { name: "Allow" })).toHaveCount(0, { timeout: 250 });
  }).toPass({ timeout: SESSION_MS });
}
