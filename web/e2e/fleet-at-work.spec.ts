/** Several sessions at once: who needs a person, and what everyone does, in one look. The pictures of the docs are of it. */
import type { Locator, Page } from "@playwright/test";
import type { Api } from "./api.ts";
import { expect, test } from "./journey.ts";
import * as pages from "./pages.ts";
import { picture } from "./pictures.ts";

test.use({ withClaude: true });

test("a fleet at work shows on every page who needs a person, and every session in its group", async ({
  desk: page,
  api,
}) => {
  const rounding = await severalSessions(api);

  await page.goto("/sessions");
  const groups = page.getByRole("heading", { level: 2 }).or(page.getByRole("button", { name: /^Ended/ }));
  await expect(groups.filter({ hasText: /^(?:Needs you|Working|Idle|Ended)/ })).toHaveText([
    "Needs you 2",
    "Working 1",
    "Idle 1",
    "Ended 1",
  ]);
  await picture(page, "fleet-sessions");

  await page.goto(`/sessions/${rounding}`);
  const approval = pages.card(page, /Edits src\/till\.py/);
  await expect(approval).toContainText("round(sum(prices), 2)");
  const more = page.getByRole("link", { name: "1 more wait elsewhere" });
  await expect(oldestWaiting(page).or(more)).toBeVisible();
  await picture(page, "fleet-session");

  await page.goto("/approvals");
  const push = pages.card(page, /git push/);
  await expect(
    push.getByRole("button", { name: "Allow", exact: true }),
    "a tap is too little",
  ).toBeDisabled();
  await picture(page, "fleet-inbox");

  await page.goto("/hosts");
  const host = page.getByRole("article", { name: "workbench" });
  await expect(host.getByRole("listitem").filter({ hasText: "Claude Code" })).toContainText(/\d+\.\d+\.\d+/);
  await expect(host).toContainText("4 of 6 slots");
  await picture(page, "fleet-hosts");
});

const oldestWaiting = (page: Page): Locator => pages.places(page).getByRole("link", { name: /Oldest since/ });

/** The id of the one that wants to change a file and has waited longest. */
async function severalSessions(api: Api): Promise<string> {
  const closing = await api.startSession("rehearsal", "say A quiet day.", "Close the shop on Monday");
  await api.untilState(closing, "idle");
  await api.post(`/api/sessions/${closing}/stop`, {});
  await api.untilState(closing, "ended");

  const hours = await api.startSession("rehearsal", "write HOURS.md Open daily", "Write the hours down");
  await api.allowNext(hours);
  await api.untilState(hours, "idle");

  const rounding = await api.startSession("claude", roundingScript, "Round totals to the cent");
  await api.allowNext(rounding);
  await api.allowNext(rounding);
  await api.waitingGate(rounding);

  const push = await api.startSession("rehearsal", "run git push origin main", "Publish the price list");
  await api.waitingGate(push);

  const sign = await api.startSession("rehearsal", "stream 5000 50", "Translate the sign");
  await api.untilState(sign, "working");
  return rounding;
}

const roundingScript = [
  "The till prints 5.300000000000001. Round totals to the cent.",
  "say I look at how the total is made first.",
  "read src/till.py",
  "run python3 src/till.py",
  "say `total` adds the prices as they are, so every sum carries the error of binary fractions. I round it where it is made:\\n\\n- **one place**, so that the receipt and the report agree\\n- **two digits**, as on the price list\\n\\nWhat is printed then:\\n\\n```python\\n>>> total([2.1, 3.2])\\n5.3\\n```",
  'edit src/till.py "    return sum(prices)" "    # Receipts show cents, and so does what is summed.\\n    return round(sum(prices), 2)"',
].join("\n");
