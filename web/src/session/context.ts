/** The session whose page is open, as its rows need it: who it is, where it works on its host, and who is who in it. */
import { createContext } from "react";

export interface SessionContents {
  readonly id: string;
  /** The rows tell paths from there. */
  readonly worktree: string | null;
  /** What people are called, by their id. */
  readonly people: Readonly<Record<string, string>>;
}

export const SessionContext = createContext<SessionContents>({ id: "", worktree: null, people: {} });
