/** A gate that waits for long is told of again, and is the same gate as before. */
import { expect } from "@playwright/test";
import { expectNoViolation } from "./axe.ts";
import { SESSION_MS } from "./bounded.ts";
import { test } from "./journey.ts";
import * as pages from "./pages.ts";
import { picture } from "./pictures.ts";

// A second and a little.
test.use({ runner: "remind_after_minutes = 0.02" });

test("an approval that waits for long says that it was told of again, also after a reload", async ({
  desk: page,
  api,
}) => {
  const session = await api.startSession("rehearsal", "write HOURS.md Open daily\nsay The hours are up.");
  const gate = await api.waitingGate(session);
  await page.goto(`/sessions/${session}`);
  const approval = page.locator(`[data-gate="${gate}"]`);
  await expect(approval).toContainText(new RegExp(`reminded once, at ${pages.MOMENT}`), {
    timeout: SESSION_MS,
  });
  await expectNoViolation(page, "reminder");
  await picture(page, "reminder");

  await page.reload();
  await expect(approval).toContainText("reminded once", { timeout: SESSION_MS });
  await page.goto("/approvals");
  await expect(approval).toContainText("reminded once");
  await picture(page, "reminder-inbox");

  const reminders = (await api.events(session)).filter(({ type }) => type === "gate.reminded");
  expect(
    reminders.map(({ data }) => data["gate"]),
    "the next is an hour away",
  ).toEqual([gate]);
  await page.goto(`/sessions/${session}`);
  await pages.tap(approval, "Allow");
  await expect(pages.transcript(page)).toContainText("The hours are up.", { timeout: SESSION_MS });
});
