/** A browser that was away for long: it gets the end, finds where it left off, and pages back without hole or double. */
import { EventEmitter, once } from "node:events";
import type { Page } from "@playwright/test";
import { UP_MS, until } from "./bounded.ts";
import { expect, test } from "./journey.ts";
import * as pages from "./pages.ts";
import { picture } from "./pictures.ts";

const EVENTS = 10_000;
/** For ten thousand events, on a machine that does other things as well. */
const MANY_MS = 300_000;

test("ten thousand events made while a browser is offline: the end is shown, and every number once on the way back @wide", async ({
  desk: page,
  api,
}) => {
  test.setTimeout(2 * MANY_MS);
  const session = await api.startSession("rehearsal", "say The shop is open.");
  await api.untilState(session, "idle");
  await page.goto(`/sessions/${session}`);
  await expect(pages.transcript(page)).toContainText("The shop is open.");
  await pages.composer(page).fill("A draft that nobody else has");
  const { last_seq: before } = await api.get<{ last_seq: number }>(`/api/sessions/${session}`);

  await page.context().setOffline(true);
  await expect(page.getByRole("status")).toContainText("Offline since");
  await picture(page, "offline");
  const script = Array.from({ length: EVENTS }, (_, index) => `say Number ${index + 1}.`).join("\n");
  await api.post(`/api/sessions/${session}/messages`, { text: script });
  const end = await until("all that is said", MANY_MS, async () => {
    const row = await api.get<{ state: string; last_seq: number }>(`/api/sessions/${session}`);
    return row.state === "idle" && row.last_seq > before + EVENTS ? row.last_seq : null;
  });

  const heard = listen(page);
  await page.context().setOffline(false);
  await expect(said(page, EVENTS)).toBeVisible({ timeout: UP_MS });
  await expect(page.getByRole("status")).toBeEmpty({ timeout: UP_MS });
  await expect(pages.composer(page)).toHaveValue("A draft that nobody else has");
  expect(heard().length, "the end, and not all of it").toBeLessThan(1000);
  await picture(page, "behind");

  // A part before it comes in over the head of the reader, who stays where they are.
  const transcript = pages.transcript(page);
  const letItCome = await holdOlder(page);
  const known = heard().length;
  await transcript.evaluate((element) => element.scrollTo({ top: 300 }));
  await expect(transcript).toContainText("Loading what was before");
  const held = await until("a line in sight", UP_MS, () => transcript.evaluate(firstInSight));
  letItCome();
  await expect.poll(() => heard().length, { timeout: UP_MS }).toBeGreaterThan(known);
  await expect(page.getByRole("button", { name: "Jump to latest" })).toBeVisible();
  await expect
    .poll(async () => Math.abs((await transcript.evaluate(topOf, held.text)) - held.top), {
      message: "the line that was read stays where it was",
      timeout: UP_MS,
    })
    .toBeLessThan(4);

  await page.getByRole("button", { name: "Where you left off" }).click();
  await expect(transcript.getByText("You left off here")).toBeVisible({ timeout: MANY_MS });
  await expect(said(page, 1)).toBeVisible();
  await expect(page.getByRole("button", { name: "Where you left off" })).toHaveCount(0);
  await picture(page, "left-off");
  const numbers = heard().toSorted((one, other) => one - other);
  expect(numbers.length, "no number came twice").toBe(new Set(numbers).size);
  expect(numbers.at(-1)).toBe(end);
  expect(numbers[0]).toBeLessThanOrEqual(before);
  expect(numbers.length, "and none is missing").toBe(end - (numbers[0] ?? 0) + 1);

  await page.getByRole("button", { name: "Jump to latest" }).click();
  await expect(said(page, EVENTS)).toBeVisible();
  await expect(page.getByRole("button", { name: "Jump to latest" })).toHaveCount(0);
});

const said = (page: Page, number: number) =>
  pages.transcript(page).getByText(`Number ${number}.`, { exact: true });

/** The numbers of all events of a session that this page is given from now on. */
function listen(page: Page): () => readonly number[] {
  const seqs: number[] = [];
  const take = (rows: readonly { seq: number }[] = []): void => void seqs.push(...rows.map(({ seq }) => seq));
  page.on("websocket", (socket) =>
    socket.on("framereceived", ({ payload }) => {
      const frame = JSON.parse(payload.toString());
      if (frame.type === "subscribed") take(frame.tail);
      if (frame.type === "events") take(frame.events);
    }),
  );
  page.on("response", async (response) => {
    if (/\/events\?before=/.test(response.url())) take((await response.json()).items);
  });
  return () => seqs;
}

/** Holds back what is asked for of before, until the returned function is called. */
async function holdOlder(page: Page): Promise<() => void> {
  const gate = new EventEmitter();
  const held = once(gate, "open");
  await page.route(/\/events\?before=/, async (route) => {
    await held;
    await route.continue();
  });
  return () => void gate.emit("open");
}

interface Seen {
  readonly text: string;
  readonly top: number;
}

/** The first line that is whole in sight, and where it stands. */
function firstInSight(transcript: Element): Seen | null {
  const { top } = transcript.getBoundingClientRect();
  const lines = [...transcript.querySelectorAll("p")].filter((it) => it.textContent?.startsWith("Number"));
  const line = lines.find((it) => it.getBoundingClientRect().top >= top);
  if (!line) return null;
  return { text: line.textContent ?? "", top: line.getBoundingClientRect().top };
}

function topOf(transcript: Element, text: string): number {
  const line = [...transcript.querySelectorAll("p")].find((it) => it.textContent === text);
  return line?.getBoundingClientRect().top ?? Number.NaN;
}
