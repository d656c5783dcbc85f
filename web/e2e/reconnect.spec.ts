/** What a page says and keeps while a coordinator is gone, and what a coordinator rebuilds. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SESSION_MS, UP_MS } from "./bounded.ts";
import { expect, test } from "./journey.ts";
import * as pages from "./pages.ts";
import { picture } from "./pictures.ts";

const script = "say The shop is open.\nrun echo counted >> till.txt\nsay Done for today.";

test("the coordinator is killed while a gate waits: the page says so, comes back by itself, and the gate is there", async ({
  desk: page,
  api,
  fleet,
}) => {
  const session = await api.startSession("rehearsal", script);
  await page.goto(`/sessions/${session}`);
  const approval = pages.card(page, /echo counted/);
  await expect(approval).toBeVisible({ timeout: SESSION_MS });
  const gate = await approval.getAttribute("data-gate");
  const read = await pages.readTranscript(page, "needs you");

  const letItComeBack = await fleet.killCoordinator();
  const line = page.getByRole("status");
  await expect(line).toContainText("Reconnecting; last heard");
  await expect(approval, "what is known stays in view").toBeVisible();
  await picture(page, "reconnecting");
  await letItComeBack();
  await expect(line).toBeEmpty({ timeout: UP_MS });

  expect(await approval.getAttribute("data-gate")).toBe(gate);
  expect(await pages.readTranscript(page, "needs you")).toBe(read);
  await pages.tap(approval, "Allow");
  await expect(pages.transcript(page).getByText("Done for today.", { exact: true })).toHaveCount(1);
  await expect(pages.transcript(page).getByText("The shop is open.", { exact: true })).toHaveCount(1);
  await api.untilState(session, "idle");
  await api.expectWholeLog(session);
  const ran = readFileSync(join(await api.worktree(session), "till.txt"), "utf8");
  expect(ran, "the command ran once").toBe("counted\n");
});

test("a decision taken while nobody answers is kept, said to be kept, and sent once when there is a connection", async ({
  desk: page,
  api,
  fleet,
}) => {
  const session = await api.startSession("rehearsal", script);
  await page.goto(`/sessions/${session}`);
  const approval = pages.card(page, /echo counted/);
  await expect(approval).toBeVisible({ timeout: SESSION_MS });

  const letItComeBack = await fleet.killCoordinator();
  await pages.tap(approval, "Allow");
  await expect(approval).toContainText("Queued: it is sent as soon as the connection is back.");
  await expect(page.getByRole("status")).toContainText("1 action queued.");
  await picture(page, "queued");
  await letItComeBack();

  await expect(pages.transcript(page)).toContainText("Done for today.", { timeout: UP_MS });
  await api.untilState(session, "idle");
  const ran = readFileSync(join(await api.worktree(session), "till.txt"), "utf8");
  expect(ran, "the command ran once").toBe("counted\n");
});

test("with the projection deleted, a restart shows the same sessions, transcript and gate", async ({
  desk: page,
  api,
  fleet,
}) => {
  const ended = await api.startSession("rehearsal", "say A quiet day.");
  await api.untilState(ended, "idle");
  await api.post(`/api/sessions/${ended}/stop`, {});
  await api.untilState(ended, "ended");
  const session = await api.startSession("rehearsal", script);
  const gate = await api.waitingGate(session);
  const seen = async (): Promise<string[]> => {
    await page.goto(`/sessions/${ended}`);
    await expect(page.getByText("This session has ended.")).toBeVisible();
    const first = await pages.readTranscript(page, "stopped by a person");
    await page.goto(`/sessions/${session}`);
    await expect(page.locator(`[data-gate="${gate}"]`)).toBeVisible();
    return [first, await pages.readTranscript(page, "needs you")];
  };
  const before = await seen();

  await fleet.restartWithoutProjection();
  await expect(page.getByRole("status")).toBeEmpty({ timeout: UP_MS });

  expect(await seen()).toEqual(before);
  await pages.allow(page, /echo counted/);
  await expect(pages.transcript(page)).toContainText("Done for today.");
  await api.expectWholeLog(session);
});
