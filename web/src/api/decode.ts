/** The one door for bytes: what comes in is known or unknown, and a type is never assumed for its name alone. */
import { EVENT_TYPES } from "./generated/eventTypes.ts";
import type { ErrorDetail, EventRow, KnownEventRow, SocketDown } from "./wire.ts";

/** A frame of the socket, or null for one of a newer coordinator. */
export function decodeFrame(text: unknown): SocketDown | null {
  const value = typeof text === "string" ? parseJson(text) : undefined;
  return isFrame(value) ? value : null;
}

/** The row with its exact type, or null for one that only a newer build knows: it counts, and shows nothing. */
export function knownEvent(row: EventRow): KnownEventRow | null {
  return isKnownEvent(row) ? row : null;
}

/** What a failed request said, if it said it in the coordinator's own way. */
export function decodeError(value: unknown): ErrorDetail | null {
  return isRecord(value) && isErrorDetail(value["error"]) ? value["error"] : null;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value a text stands for, or undefined for a text that is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isFrame(value: unknown): value is SocketDown {
  return isRecord(value) && typeof value["type"] === "string" && value["type"] in frames;
}

const frames: Record<SocketDown["type"], true> = {
  hello: true,
  subscribed: true,
  events: true,
  live: true,
  fleet: true,
  status: true,
  error: true,
  pong: true,
  closing: true,
};

const eventTypes: ReadonlySet<string> = new Set(EVENT_TYPES);

function isKnownEvent(row: EventRow): row is KnownEventRow {
  return eventTypes.has(row.type) && isRecord(row.data);
}

function isErrorDetail(value: unknown): value is ErrorDetail {
  return isRecord(value) && typeof value["code"] === "string" && typeof value["message"] === "string";
}
