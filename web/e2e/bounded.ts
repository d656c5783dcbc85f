/** Waiting for a condition, with a bound and the last thing seen. Owns no condition. */
import { expect } from "@playwright/test";

/** Starting three processes on a machine that is busy. */
export const UP_MS = 60_000;
/** For anything that one session does. */
export const SESSION_MS = 30_000;

/** Asks `look` until it has something to give. */
export async function until<T>(
  what: string,
  bound: number,
  look: () => T | null | Promise<T | null>,
): Promise<T> {
  let found: T | null = null;
  await expect
    .poll(
      async () => {
        found = await look();
        return found !== null;
      },
      { message: what, timeout: bound, intervals: [50, 100, 200] },
    )
    .toBe(true);
  if (found === null) throw new Error(`${what}: nothing came`);
  return found;
}
