/** The fleet over HTTP, as Ada: for what a journey prepares, and to hold the pages to the log. */
import { type APIRequestContext, expect } from "@playwright/test";
import { SESSION_MS, until } from "./bounded.ts";

export interface LoggedEvent {
  readonly seq: number;
  readonly type: string;
  readonly at: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export class Api {
  private readonly request: APIRequestContext;
  private readonly origin: string;

  constructor(request: APIRequestContext, origin: string) {
    this.request = request;
    this.origin = origin;
  }

  async startSession(agent: string, prompt: string, title?: string): Promise<string> {
    const project = await until("the project", SESSION_MS, async () => {
      const { items } = await this.get<{ items: { id: string }[] }>("/api/projects");
      return items[0]?.id ?? null;
    });
    const { id } = await this.post<{ id: string }>("/api/sessions", { project, agent, prompt, title });
    return id;
  }

  /** The id of the oldest gate of a session that waits, once there is one. */
  waitingGate(session: string): Promise<string> {
    return until("a pending gate", SESSION_MS, async () => {
      const path = `/api/gates?state=pending&session=${session}`;
      const { items } = await this.get<{ items: { id: string }[] }>(path);
      return items[0]?.id ?? null;
    });
  }

  /** Allows the oldest gate of a session, once there is one, and sees that it no longer waits. */
  async allowNext(session: string): Promise<void> {
    const gate = await this.waitingGate(session);
    await this.post(`/api/gates/${gate}/decision`, { decision: "allow" });
    await until("the gate to be decided", SESSION_MS, async () => {
      const { state } = await this.get<{ state: string }>(`/api/gates/${gate}`);
      return state === "pending" ? null : true;
    });
  }

  async untilState(session: string, wanted: string): Promise<void> {
    await until(`the session to be ${wanted}`, SESSION_MS, async () => {
      const { state } = await this.get<{ state: string }>(`/api/sessions/${session}`);
      return state === wanted ? true : null;
    });
  }

  async events(session: string): Promise<readonly LoggedEvent[]> {
    const { items } = await this.get<{ items: LoggedEvent[] }>(`/api/sessions/${session}/events?limit=500`);
    return items;
  }

  /** `seq` is 1, 2, 3 … without a hole or a double. */
  async expectWholeLog(session: string): Promise<void> {
    const events = await this.events(session);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  }

  /** The folder in which the agent of a session works. */
  worktree(session: string): Promise<string> {
    return until("the worktree", SESSION_MS, async () => {
      const opened = (await this.events(session)).find(({ type }) => type === "session.opened");
      const worktree = opened?.data["worktree"];
      return typeof worktree === "string" ? worktree : null;
    });
  }

  async get<T>(path: string): Promise<T> {
    const answer = await this.request.get(path);
    expect(answer.ok(), `GET ${path}: ${await answer.text()}`).toBe(true);
    return (await answer.json()) as T;
  }

  async post<T>(path: string, data: object): Promise<T> {
    const answer = await this.request.post(path, { data, headers: { origin: this.origin } });
    expect(answer.ok(), `POST ${path}: ${await answer.text()}`).toBe(true);
    return (await answer.json()) as T;
  }
}
