/** A usage limit of the agent's account: shown, waited for, and gone on from, by the session itself or by a person. */
import { expect, type Locator, type Page } from "@playwright/test";
import { expectNoViolation } from "./axe.ts";
import { SESSION_MS } from "./bounded.ts";
import { test } from "./journey.ts";
import * as pages from "./pages.ts";
import { picture } from "./pictures.ts";

/** Whether the session goes on by itself, as the page shows it. */
const bySelf = (page: Page): Locator =>
  pages.brokenOff(page).getByRole("checkbox", { name: "Go on by itself" });

const counted = (page: Page): Locator =>
  pages.transcript(page).getByRole("paragraph").getByText("The till is counted.", { exact: true });

test("a usage limit says until when; the switch is kept through a reload, and a tap goes on at once", async ({
  desk: page,
  api,
}) => {
  const title = "Count the till";
  const session = await api.startSession(
    "rehearsal",
    "say I count the till.\nlimit 3600\nsay The till is counted.",
    title,
  );
  await page.goto(`/sessions/${session}`);
  const panel = pages.brokenOff(page);
  await expect(panel).toContainText(
    new RegExp(`Usage limit until ${pages.MOMENT}\\. The session goes on by itself then\\.`),
    {
      timeout: SESSION_MS,
    },
  );
  await expect(pages.head(page)).toContainText(new RegExp(`Usage limit until ${pages.MOMENT}`));
  await expect(bySelf(page)).toBeChecked();
  await expect(page.getByText(/hit your rehearsal limit/), "the agent's words are told once").toHaveCount(1);
  await expect(pages.brokenOff(page)).toBeInViewport({ ratio: 1 });
  await expectNoViolation(page, "usage limit");
  await picture(page, "limit-resumes");

  await bySelf(page).uncheck();
  await expect(panel).toContainText("The session waits for you then.");
  await page.reload();
  await expect(panel).toContainText("The session waits for you then.", { timeout: SESSION_MS });
  await expect(bySelf(page)).not.toBeChecked();
  await expect(bySelf(page)).toBeEnabled();
  await picture(page, "limit-waits");

  await page.goto("/sessions");
  await expect(pages.line(page, title)).toContainText(new RegExp(`Usage limit until ${pages.MOMENT}`));
  await picture(page, "limit-list");

  await page.goto(`/sessions/${session}`);
  await panel.getByRole("button", { name: "Continue" }).click();
  await expect(counted(page)).toBeVisible({ timeout: SESSION_MS });
  await expect(panel).toHaveCount(0);
  await expect(pages.head(page)).toContainText("Idle");
  await api.expectWholeLog(session);
});

test("at the reset the session goes on by itself, in nobody's name", async ({ desk: page, api }) => {
  const session = await api.startSession(
    "rehearsal",
    "say I count the till.\nlimit 6\nsay The till is counted.",
  );
  await page.goto(`/sessions/${session}`);
  await expect(pages.transcript(page)).toContainText("I count the till.", { timeout: SESSION_MS });
  await expect(counted(page)).toBeVisible({ timeout: SESSION_MS });
  await expect(pages.brokenOff(page)).toHaveCount(0);
  await expect(pages.head(page)).toContainText("Idle");
  await expect(pages.transcript(page)).toContainText("By itself ·");

  const events = await api.events(session);
  const reached = events.find(({ type }) => type === "limit.reached");
  const said = events.filter(({ type }) => type === "message.user").at(-1);
  expect(reached?.data["resumes"], "it said that it would").toBe(true);
  expect(said?.data, "nobody said it").toMatchObject({ text: "continue" });
  expect(said?.data["by"] ?? null).toBeNull();
  expect(Date.parse(said?.at ?? "")).toBeGreaterThanOrEqual(Date.parse(String(reached?.data["resets_at"])));
  await picture(page, "limit-over");
});

test.describe("where sessions do not go on by themselves", () => {
  test.use({ runner: "resume_after_limit = false" });

  test("a limit that is over waits for a person, who switches that on", async ({ desk: page, api }) => {
    const session = await api.startSession(
      "rehearsal",
      "say I count the till.\nlimit 3\nsay The till is counted.",
    );
    await page.goto(`/sessions/${session}`);
    const panel = pages.brokenOff(page);
    await expect(panel).toContainText(
      new RegExp(`The usage limit is over since ${pages.MOMENT}\\. The session waits for you\\.`),
      { timeout: SESSION_MS },
    );
    await expect(bySelf(page)).not.toBeChecked();
    await expect(counted(page), "nothing goes on").toHaveCount(0);
    await picture(page, "limit-over-waits");

    await bySelf(page).check();
    await expect(counted(page)).toBeVisible({ timeout: SESSION_MS });
    await expect(panel).toHaveCount(0);
  });
});
