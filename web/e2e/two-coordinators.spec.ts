/** Two coordinators behind one address: when one is killed, its browsers go on at the other. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SESSION_MS, UP_MS } from "./bounded.ts";
import { Forwarder } from "./forwarder.ts";
import { expect, test } from "./journey.ts";
import * as pages from "./pages.ts";
import { picture } from "./pictures.ts";

test("the coordinator of a browser is killed: it goes on at the other, and nothing is lost, doubled or forgotten", async ({
  stranger: page,
  desk,
  api,
  fleet,
}) => {
  const other = await fleet.anotherCoordinator();
  const forwarder = await Forwarder.before(other.port, fleet.port);
  const script = "say The shop is open.\nrun echo counted >> till.txt\nsay Done for today.";
  const session = await api.startSession("rehearsal", script);
  await page.goto(`${forwarder.url}/sessions/${session}`);
  await pages.signIn(page);
  const approval = pages.card(page, /echo counted/);
  await expect(approval).toBeVisible({ timeout: SESSION_MS });
  const gate = await approval.getAttribute("data-gate");
  await pages.composer(page).fill("A draft that nobody else has");
  const read = await pages.readTranscript(page, "needs you");

  const again = page.waitForEvent("websocket", { timeout: UP_MS });
  other.kill();
  await again;
  await expect(page.getByRole("status")).toBeEmpty({ timeout: UP_MS });
  expect(await pages.readTranscript(page, "needs you")).toBe(read);
  await expect(pages.composer(page)).toHaveValue("A draft that nobody else has");
  expect(await approval.getAttribute("data-gate")).toBe(gate);
  await pages.tap(approval, "Allow");
  await expect(pages.transcript(page).getByText("Done for today.", { exact: true })).toHaveCount(1, {
    timeout: UP_MS,
  });
  await api.untilState(session, "idle");
  await picture(page, "other-coordinator");

  // One who was at the second all along sees the same.
  await desk.goto(`/sessions/${session}`);
  const here = await pages.readTranscript(desk, "Done for today.");
  expect(await pages.readTranscript(page, "Done for today.")).toBe(here);
  const ran = readFileSync(join(await api.worktree(session), "till.txt"), "utf8");
  expect(ran, "the command ran once").toBe("counted\n");
  await api.expectWholeLog(session);
  forwarder.end();
});
