/** Files on their way to a session: stored first, named in a message then. */
import { useState } from "react";
import { routes } from "../api/routes.ts";
import type { Attachment } from "../api/wire.ts";

export interface Attachments {
  readonly ready: readonly Attachment[];
  /** How many are being stored. */
  readonly storing: number;
  readonly error: unknown;
  readonly add: (files: Iterable<File>) => void;
  readonly remove: (id: string) => void;
  readonly clear: () => void;
}

export function useAttachments(session: string): Attachments {
  const [ready, setReady] = useState<readonly Attachment[]>([]);
  const [storing, setStoring] = useState(0);
  const [error, setError] = useState<unknown>(null);

  const store = async (file: File): Promise<void> => {
    setStoring((count) => count + 1);
    try {
      const attachment = await routes.attach(session, file);
      setReady((known) => [...known, attachment]);
    } catch (problem) {
      setError(problem);
    } finally {
      setStoring((count) => count - 1);
    }
  };
  return {
    ready,
    storing,
    error,
    add: (files) => {
      setError(null);
      for (const file of files) void store(file);
    },
    remove: (id) => setReady((known) => known.filter((attachment) => attachment.id !== id)),
    clear: () => {
      setReady([]);
      setError(null);
    },
  };
}
