/**
 * What every journey starts from: an installation of its own, and Ada in a browser, who is signed in. Owns nothing that
 * happens on a page but that no script of ours fails there and that the page breaks no rule of its own.
 */
import { type Browser, expect, type Page, test as base } from "@playwright/test";
import { Api } from "./api.ts";
import { ScriptedClaude } from "./claude.ts";
import { Fleet } from "./fleet.ts";

export const ada = { name: "Ada", email: "ada@example.org", password: "correct horse battery" } as const;

interface Given {
  /** Whether the real Claude Code is among the agents, which takes some seconds more. */
  withClaude: boolean;
  /** More of the section `[runner]` of the configuration file. */
  runner: string;
  /** Agents that run at once. */
  slots: number;
  fleet: Fleet;
  /** A page of Ada's; setup is done, and this browser is signed in. */
  desk: Page;
  /** The fleet over HTTP, as Ada. */
  api: Api;
  /** Another browser, in which nobody is signed in. */
  stranger: Page;
}

export const test = base.extend<Given>({
  withClaude: [false, { option: true }],
  runner: ["", { option: true }],
  slots: [6, { option: true }],
  fleet: async ({ withClaude, runner, slots }, give, info) => {
    const claude = withClaude ? await ScriptedClaude.start() : null;
    const fleet = await Fleet.start(claude?.agents ?? "", runner, slots);
    await give(fleet);
    if (info.status !== info.expectedStatus) await info.attach("logs", { body: fleet.said() });
    await fleet.end();
    claude?.end();
  },
  baseURL: async ({ fleet }, give) => give(fleet.url),
  desk: async ({ browser, fleet }, give) => {
    await inBrowser(browser, async (page) => {
      await new Api(page.request, fleet.url).post("/api/auth/setup", { ...ada, token: fleet.setupToken });
      await give(page);
    });
  },
  api: async ({ desk, fleet }, give) => give(new Api(desk.request, fleet.url)),
  stranger: async ({ browser }, give) => {
    await inBrowser(browser, give);
  },
});

export { expect };

/** An error that nobody caught, and a breach of the content security policy, fail the journey. */
async function inBrowser(browser: Browser, give: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) wrong.push(message.text());
  });
  await give(page);
  await context.close();
  expect(wrong).toEqual([]);
}
