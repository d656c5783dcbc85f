/** What a person sees and does on the pages, in their own words. Owns the names of things on the pages, and no journey. */
import { expect, type Locator, type Page } from "@playwright/test";
import { SESSION_MS, UP_MS } from "./bounded.ts";
import { ada } from "./journey.ts";

export async function signIn(page: Page): Promise<void> {
  await page.getByLabel("Email").fill(ada.email);
  await page.getByLabel("Password").fill(ada.password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

export async function startSession(page: Page, agent: string, prompt: string): Promise<void> {
  await page.goto("/sessions/new");
  await fillNewSession(page, agent, prompt);
}

export async function fillNewSession(page: Page, agent: string, prompt: string): Promise<void> {
  await page.getByRole("radio", { name: agent }).check();
  await expect(page.getByLabel("Project")).toHaveValue(/./);
  await page.getByLabel("What should it do?").fill(prompt);
  await page.getByRole("button", { name: "Start session" }).click();
  await page.waitForURL(/\/sessions\/ses_/);
}

/** The id of the session whose page is open. */
export function sessionOf(page: Page): string {
  const id = new URL(page.url()).pathname.split("/").at(-1);
  if (!id?.startsWith("ses_")) throw new Error(`${page.url()} is no session`);
  return id;
}

export const transcript = (page: Page): Locator => page.getByRole("region", { name: "Transcript" });

/** All that stands in the transcript, once it reaches as far as `last`. */
export async function readTranscript(page: Page, last: string): Promise<string> {
  await expect(transcript(page)).toContainText(last, { timeout: SESSION_MS });
  return transcript(page).innerText();
}

/** The text that is being written just now. Of two blocks, the first may not be final yet when the next one begins. */
export const streaming = (page: Page): Locator => transcript(page).locator("[aria-busy=true]");

/** Text is seen to grow before it is final. */
export async function expectToGrow(page: Page): Promise<void> {
  const written = streaming(page).last();
  await expect(written).toBeVisible({ timeout: UP_MS });
  const early = (await written.innerText()).length;
  await expect
    .poll(async () => (await written.innerText()).length, { message: "the text grows" })
    .toBeGreaterThan(early);
}

/** A call in the transcript, by what is in its one line. */
export const call = (page: Page, words: string | RegExp): Locator =>
  transcript(page).getByRole("button", { name: words });

/** The approval that waits above the composer, or in the inbox, by its sentence. */
export const card = (page: Page, summary: string | RegExp): Locator =>
  page.getByRole("article", { name: summary });

export const composer = (page: Page): Locator => page.getByLabel("Message to the agent");

/** A moment as pages say it, for a pattern: with its day when that is not today. */
export const MOMENT = String.raw`(?:\w+ )?\d\d:\d\d`;

/** How the session stands, in the word under its title. */
export const head = (page: Page): Locator => page.locator("main > header");

/** Where the work of a session broke off, at the end of its transcript: why, and how it goes on. */
export const brokenOff = (page: Page): Locator =>
  transcript(page).getByRole("region", { name: "Broken off" });

/** The row of a session in a list, by its title. */
export const line = (page: Page, title: string | RegExp): Locator =>
  page.getByRole("listitem").filter({ has: page.getByRole("link", { name: title }) });

/** The changes of the session: a panel where there is room, else a sheet. */
export const review = (page: Page): Locator => page.getByLabel("Changes", { exact: true });

/** Everything that waits in the fleet, as the places show it. */
export const places = (page: Page): Locator => page.getByRole("navigation", { name: "Places" });

/**
 * A tap on a button of an approval. A card takes none in its first moments, so that no tap falls on what a person
 * cannot have read: a person taps again, and so does this. The button of a card that was decided is gone.
 */
export async function tap(approval: Locator, button: string): Promise<void> {
  const found = approval.getByRole("button", { name: button, exact: true });
  await expect(async () => {
    if (await found.isVisible()) await found.click({ timeout: 5000 });
    await expect(found).toBeHidden({ timeout: 1000 });
  }).toPass({ timeout: UP_MS, intervals: [50, 100, 200] });
}

/** Once the card of a call is there, allows it. */
export async function allow(page: Page, summary: string | RegExp): Promise<void> {
  await expect(card(page, summary)).toBeVisible({ timeout: SESSION_MS });
  await tap(card(page, summary), "Allow");
}
