/** Requests to the coordinator. Owns how one fails: with the coordinator's own words, or because nobody answered. */
import { decodeError, parseJson } from "./decode.ts";
import type { Decision } from "./wire.ts";

/** The coordinator answered, and the answer is no. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | null;
  /** With `already_decided`: the decision that was first. */
  readonly decision: Decision | null;

  constructor(status: number, body: unknown) {
    const detail = decodeError(body);
    super(detail?.message ?? `The coordinator answered ${status}.`);
    this.name = "Refusal";
    this.status = status;
    this.code = detail?.code ?? "unknown";
    this.hint = detail?.hint ?? null;
    this.decision = detail?.decision ?? null;
  }
}

/** Nobody answered, so nothing is known of what became of the request. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super("The coordinator cannot be reached.", { cause });
    this.name = "Unreachable";
  }
}

export async function get<T>(path: string): Promise<T> {
  return answer<T>(await reach(path, {}));
}

/** A coordinator keeps at what it was given for two minutes while NATS is away, and then says so. */
const ANSWER_MS_MAX = 150_000;

export async function post<T>(path: string, body: object = {}, givenUp?: AbortSignal): Promise<T> {
  const headers = { "content-type": "application/json" };
  const late = AbortSignal.timeout(ANSWER_MS_MAX);
  const signal = givenUp ? AbortSignal.any([givenUp, late]) : late;
  return answer<T>(await reach(path, { method: "POST", headers, body: JSON.stringify(body), signal }));
}

export async function remove(path: string): Promise<null> {
  return answer<null>(await reach(path, { method: "DELETE" }));
}

/** Sends a file as it is. */
export async function upload<T>(path: string, file: File): Promise<T> {
  const headers = { "content-type": file.type || "application/octet-stream" };
  return answer<T>(await reach(path, { method: "POST", headers, body: file }));
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers: { accept: "application/json", ...init.headers } });
  } catch (cause) {
    throw new Unreachable(cause);
  }
  // A proxy's answer in place of a coordinator that restarts.
  if (response.status === 502 || response.status === 504) throw new Unreachable(response.status);
  return response;
}

async function answer<T>(response: Response): Promise<T> {
  let text: string;
  try {
    text = await response.text();
  } catch (cause) {
    // Cut off in the middle.
    throw new Unreachable(cause);
  }
  const body: unknown = text === "" ? null : parseJson(text);
  if (!response.ok) throw new Refusal(response.status, body);
  // The one place that believes the coordinator: its types and this build's come from the same source.
  return body as T;
}
