/** What is true of a session now, as far as its log says: the head of the page, not the transcript. */
import type { AgentRetrying, State } from "../api/wire.ts";

export interface SessionFacts {
  readonly state: State | null;
  readonly stateReason: string | null;
  readonly title: string | null;
  readonly branch: string | null;
  readonly worktree: string | null;
  readonly isolated: boolean | null;
  readonly agent: string | null;
  readonly agentVersion: string | null;
  readonly model: string | null;
  /** It ended by itself, and no other is there yet. */
  readonly agentLost: boolean;
  /** The turn that runs, and since when. */
  readonly turn: { readonly id: string; readonly since: string } | null;
  /** The agent waits before it asks its model again. */
  readonly retry: (AgentRetrying & { readonly at: string }) | null;
  readonly contextTokens: number | null;
  readonly contextTokensMax: number | null;
  /** What people are called, by their id, as far as the log tells. */
  readonly people: Readonly<Record<string, string>>;
}

export const noFacts: SessionFacts = {
  state: null,
  stateReason: null,
  title: null,
  branch: null,
  worktree: null,
  isolated: null,
  agent: null,
  agentVersion: null,
  model: null,
  agentLost: false,
  turn: null,
  retry: null,
  contextTokens: null,
  contextTokensMax: null,
  people: {},
};
