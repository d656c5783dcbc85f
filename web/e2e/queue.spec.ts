/** A host without a free slot, and one that drains: what waits says for what, keeps what is said to it, and begins by itself. */
import { expect } from "@playwright/test";
import { expectNoViolation } from "./axe.ts";
import { SESSION_MS } from "./bounded.ts";
import { test } from "./journey.ts";
import * as pages from "./pages.ts";
import { picture } from "./pictures.ts";

test.use({ slots: 1 });

test("a session that finds no slot waits in line, keeps what is said to it, and begins when one is free", async ({
  desk: page,
  api,
}) => {
  const busy = await api.startSession(
    "rehearsal",
    "write HOURS.md Open daily\nsay Done.",
    "Write the hours down",
  );
  await api.waitingGate(busy);
  const next = await api.startSession("rehearsal", "say The next one.", "Close the shop");
  await api.startSession("rehearsal", "say The last one.", "Sweep the floor");

  await page.goto("/sessions");
  await expect(pages.line(page, "Close the shop")).toContainText("1 of 2 in line", { timeout: SESSION_MS });
  await expect(pages.line(page, "Sweep the floor")).toContainText("2 of 2 in line");
  await picture(page, "queue-sessions");

  await page.goto(`/sessions/${next}`);
  await expect(pages.head(page)).toContainText(
    "Next in line. Waits for a host. workbench: no free slot, 1 of 1 taken.",
  );
  await pages.composer(page).fill("say And this as well.");
  await page.getByRole("button", { name: "Send" }).click();
  const waiting = page.getByRole("list", { name: "Messages that wait" });
  await expect(waiting).toContainText("kept until a host has room for this session");
  await expectNoViolation(page, "queued session");
  await picture(page, "queue-session");

  await page.goto("/hosts");
  await expect(page.getByRole("article", { name: "workbench" })).toContainText("1 of 1 slot");

  await api.allowNext(busy);
  await page.goto(`/sessions/${next}`);
  await expect(pages.transcript(page)).toContainText("And this as well.", { timeout: SESSION_MS });
  await expect(pages.head(page)).toContainText("workbench");
  await expect(pages.head(page).getByTitle(/^Why there: /)).toHaveText("workbench");
  const said = (await api.events(next)).filter(({ type }) => type === "message.user");
  expect(said.map(({ data }) => data["text"])).toEqual(["say The next one.", "say And this as well."]);
});

test("a draining host takes nothing new until somebody says so, and what waits can be ended", async ({
  desk: page,
  api,
}) => {
  await page.goto("/hosts");
  const host = page.getByRole("article", { name: "workbench" });
  await host.getByRole("button", { name: "Drain workbench" }).click();
  await expect(host).toContainText(/Draining since .* by Ada: no new session starts here/);
  await expectNoViolation(page, "draining host");
  await picture(page, "drain-host");
  await page.reload();
  await expect(host).toContainText("Draining since");

  const ended = await api.startSession("rehearsal", "say Never.", "Nobody needs this");
  const kept = await api.startSession("rehearsal", "say At last.", "This one waits");
  await page.goto(`/sessions/${ended}`);
  await expect(pages.head(page)).toContainText("workbench: draining", { timeout: SESSION_MS });
  await picture(page, "drain-session");
  await page.getByRole("button", { name: "End", exact: true }).click();
  await page.getByRole("button", { name: "End it" }).click();
  await expect(pages.head(page)).toContainText("Stopped by a person before it began", {
    timeout: SESSION_MS,
    ignoreCase: true,
  });

  await page.goto("/hosts");
  await host.getByRole("button", { name: "Give workbench new sessions again" }).click();
  await expect(host).toContainText("Takes new sessions.");
  await page.goto(`/sessions/${kept}`);
  await expect(pages.transcript(page)).toContainText("At last.", { timeout: SESSION_MS });
});
