/** Every request this page makes, one function each. */
import { get, post, remove, upload } from "./client.ts";
import type {
  Accepted,
  AgentRow,
  Attachment,
  DecisionRequest,
  EnrolmentCreate,
  EnrolmentCreated,
  EventRow,
  Gate,
  HostRevoked,
  HostRow,
  LoginRequest,
  Me,
  MessageRequest,
  Page,
  ProjectRow,
  SessionCreate,
  SessionDiff,
  SessionRow,
  SetupRequest,
  SetupStatus,
  WaitingMessage,
} from "./wire.ts";

export const routes = {
  setupStatus: () => get<SetupStatus>("/api/auth/setup"),
  setup: (request: SetupRequest) => post<Me>("/api/auth/setup", request),
  login: (request: LoginRequest) => post<Me>("/api/auth/login", request),
  logout: () => post<null>("/api/auth/logout"),
  me: () => get<Me>("/api/auth/me"),

  hosts: () => get<Page<HostRow>>("/api/hosts"),
  /** Whether it takes new sessions. */
  drain: (host: string) => post<HostRow>(`/api/hosts/${host}/drain`),
  endDrain: (host: string) => post<HostRow>(`/api/hosts/${host}/resume`),
  invite: (request: EnrolmentCreate) => post<EnrolmentCreated>("/api/enrolments", request),
  revokeHost: (host: string) => post<HostRevoked>(`/api/hosts/${host}/revoke`),
  removeHost: (host: string) => remove(`/api/hosts/${host}`),
  projects: () => get<Page<ProjectRow>>("/api/projects"),
  agents: () => get<Page<AgentRow>>("/api/agents"),

  createSession: (request: SessionCreate) => post<SessionRow>("/api/sessions", request),
  olderEvents: (session: string, before: number, limit: number) =>
    get<Page<EventRow>>(`/api/sessions/${session}/events?before=${before}&limit=${limit}`),
  /** With the whole of its data, also where that was too big to travel. */
  event: (session: string, seq: number) => get<EventRow>(`/api/sessions/${session}/events/${seq}`),
  diff: (session: string) => get<SessionDiff>(`/api/sessions/${session}/diff`),
  sendMessage: (session: string, request: MessageRequest, givenUp?: AbortSignal) =>
    post<Accepted>(`/api/sessions/${session}/messages`, request, givenUp),
  /** What a message says that its host has not taken. */
  waitingMessage: (session: string, message: string) =>
    get<WaitingMessage>(`/api/sessions/${session}/messages/${message}`),
  attach: (session: string, file: File) =>
    upload<Attachment>(`/api/sessions/${session}/attachments?name=${encodeURIComponent(file.name)}`, file),
  interrupt: (session: string) => post<Accepted>(`/api/sessions/${session}/interrupt`),
  stop: (session: string) => post<Accepted>(`/api/sessions/${session}/stop`),
  resumeAtReset: (session: string, enabled: boolean) =>
    post<Accepted>(`/api/sessions/${session}/resume-at-reset`, { enabled }),
  resume: (session: string) => post<Accepted>(`/api/sessions/${session}/resume`),

  gate: (gate: string) => get<Gate>(`/api/gates/${gate}`),
  decide: (gate: string, request: DecisionRequest, givenUp?: AbortSignal) =>
    post<Gate>(`/api/gates/${gate}/decision`, request, givenUp),
};
