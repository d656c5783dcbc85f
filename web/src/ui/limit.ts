/** A usage limit in words. Pure: the present is given. */
import type { UsageLimit } from "../api/wire.ts";
import { clockTime } from "./time.ts";

/** In the place of a state's word. */
export function limitWord(limit: UsageLimit, now: number): string {
  if (limit.resets_at === null) return "Usage limit";
  return isOver(limit, now) ? "Usage limit over" : `Usage limit until ${clockTime(limit.resets_at, now)}`;
}

/** Until when, and what happens then. */
export function limitSentence(limit: UsageLimit, now: number): string {
  const { resets_at, resumes } = limit;
  if (resets_at === null) return "Usage limit. Nobody said until when: try again later.";
  const time = clockTime(resets_at, now);
  if (isOver(limit, now)) {
    const then = resumes ? "The session goes on in a moment." : "The session waits for you.";
    return `The usage limit is over since ${time}. ${then}`;
  }
  return `Usage limit until ${time}. The session ${resumes ? "goes on by itself" : "waits for you"} then.`;
}

/** Never, where nobody said until when. */
export function isOver({ resets_at }: UsageLimit, now: number): boolean {
  return resets_at !== null && Date.parse(resets_at) <= now;
}
