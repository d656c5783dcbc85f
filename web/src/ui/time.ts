/** Moments and durations in words. Pure: the present is given. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `now`, `40 s`, `12 min`, `3 h`, `5 d`: how long ago, without "ago". */
export function age(at: string, now: number): string {
  const elapsed = Math.max(0, now - Date.parse(at));
  if (elapsed < 10 * SECOND) return "now";
  if (elapsed < MINUTE) return `${Math.floor(elapsed / SECOND)} s`;
  if (elapsed < HOUR) return `${Math.floor(elapsed / MINUTE)} min`;
  if (elapsed < DAY) return `${Math.floor(elapsed / HOUR)} h`;
  return `${Math.floor(elapsed / DAY)} d`;
}

/** `just now` or `12 min ago`. */
export function ago(at: string, now: number): string {
  const elapsed = age(at, now);
  return elapsed === "now" ? "just now" : `${elapsed} ago`;
}

/** `14:02` today, else `Mon 14:02`, else `3 Nov 14:02`. */
export function clockTime(at: string, now: number): string {
  const moment = new Date(at);
  const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(moment);
  if (new Date(now).toDateString() === moment.toDateString()) return time;
  const day: Intl.DateTimeFormatOptions =
    Math.abs(now - moment.getTime()) < 6 * DAY ? { weekday: "short" } : { day: "numeric", month: "short" };
  return `${new Intl.DateTimeFormat("en-GB", day).format(moment)} ${time}`;
}

/** The whole moment, for a title on hover. */
export function absolute(at: string): string {
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" }).format(new Date(at));
}

/** `<0.1 s`, `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 50) return "<0.1 s";
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`;
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ${Math.floor((ms % MINUTE) / SECOND)} s`;
  return `${Math.floor(ms / HOUR)} h ${Math.floor((ms % HOUR) / MINUTE)} min`;
}
