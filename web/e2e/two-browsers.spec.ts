/** Two browsers of one fleet: both see the same, and the first decision is the one that counts. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "@playwright/test";
import { SESSION_MS } from "./bounded.ts";
import { expect, test } from "./journey.ts";
import * as pages from "./pages.ts";
import { picture } from "./pictures.ts";

test("a browser that signs in later sees the same transcript and gate, and a decision there shows here", async ({
  desk,
  stranger: later,
  api,
}) => {
  const session = await api.startSession("rehearsal", "say The shop is open.\nwrite HOURS.md Open daily");
  await desk.goto(`/sessions/${session}`);
  await expect(pages.card(desk, /HOURS\.md/)).toBeVisible({ timeout: SESSION_MS });

  await later.goto("/");
  await pages.signIn(later);
  await expect(later.getByRole("heading", { name: "Approvals" })).toBeVisible();
  await pages
    .card(later, /HOURS\.md/)
    .getByRole("link", { name: /The shop is open/ })
    .click();
  await expect(pages.card(later, /HOURS\.md/)).toBeVisible();
  const read = await pages.readTranscript(desk, "needs you");
  expect(await pages.readTranscript(later, "needs you")).toBe(read);
  expect(await gateOf(later)).toBe(await gateOf(desk));

  // In the inbox a card stays where it is after its decision.
  await desk.goto("/approvals");
  const here = pages.card(desk, /HOURS\.md/);
  await expect(here).toBeVisible();
  await pages.tap(pages.card(later, /HOURS\.md/), "Allow");
  await expect(here).toContainText("Allowed by you. The tool ran.");
  await expect(here.getByRole("button")).toHaveCount(0);

  for (const page of [desk, later]) {
    await page.goto(`/sessions/${session}`);
    await pages.call(page, /HOURS\.md/).click();
    await expect(pages.transcript(page)).toContainText("Allowed by Ada");
  }
});

test("a decision that comes second is told who was first, and changes nothing", async ({
  desk,
  stranger: slow,
  api,
}) => {
  const session = await api.startSession("rehearsal", "write HOURS.md Open daily");
  await api.waitingGate(session);
  const line = await slowLine(slow);
  await slow.goto(`/sessions/${session}`);
  await pages.signIn(slow);
  await expect(pages.card(slow, /HOURS\.md/)).toBeVisible();
  await expect(pages.call(slow, /HOURS\.md/)).toBeVisible();
  line.hold();

  await desk.goto(`/sessions/${session}`);
  await pages.allow(desk, /HOURS\.md/);
  await api.untilState(session, "idle");

  const stale = pages.card(slow, /HOURS\.md/);
  await expect(stale.getByRole("button", { name: "Deny", exact: true }), "nothing told it yet").toBeVisible();
  await pages.tap(stale, "Deny");
  await expect(stale.getByRole("alert")).toContainText("Already allowed by you, elsewhere,");
  await expect(stale.getByRole("alert")).toContainText("came too late and changed nothing");
  await picture(slow, "second-decision");
  expect(existsSync(join(await api.worktree(session), "HOURS.md"))).toBe(true);
  const decided = (await api.events(session)).filter(({ type }) => type === "gate.decided");
  expect(decided).toHaveLength(1);
});

const gateOf = (page: Page): Promise<string | null> =>
  pages.card(page, /HOURS\.md/).getAttribute("data-gate");

/** A browser that hears nothing more once its line is held, and does not know it. */
async function slowLine(page: Page): Promise<{ hold: () => void }> {
  let held = false;
  await page.routeWebSocket(/\/api\/socket$/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => {
      if (!held) socket.send(message);
    });
  });
  return {
    hold: () => {
      held = true;
    },
  };
}
