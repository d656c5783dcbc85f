/** Pictures of what a journey saw, light and dark. Owns where they lie: `screenshots/NAME-PROJECT-SCHEME.png`. */
import { join } from "node:path";
import { type Page, test } from "@playwright/test";

const folder = join(import.meta.dirname, "screenshots");

export const schemes = ["light", "dark"] as const;

export async function picture(page: Page, name: string): Promise<void> {
  const { project } = test.info();
  for (const colorScheme of schemes) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const path = join(folder, `${name}-${project.name}-${colorScheme}.png`);
    await page.screenshot({ path, animations: "disabled" });
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
}
