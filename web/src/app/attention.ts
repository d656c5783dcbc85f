/** The first answer, everywhere: how many wait for a person, and which one has waited longest. */
import { useEffect } from "react";
import { useShallow } from "zustand/react/shallow";
import type { Gate } from "../api/wire.ts";
import { pendingGates, useFleet } from "../fleet/store.ts";
import { isQueued, useOutbox } from "../outbox/outbox.ts";

export interface Waiting {
  readonly count: number;
  readonly oldest: Gate | null;
}

export function useWaiting(): Waiting {
  const wishes = useOutbox((outbox) => outbox.wishes);
  return useFleet(
    useShallow(({ gates }) => {
      const pending = pendingGates(gates).filter(({ id }) => !isQueued(wishes, id));
      return { count: pending.length, oldest: pending[0] ?? null };
    }),
  );
}

/** The count stands in the title of the tab as well. */
export function useAttention(): number {
  const { count } = useWaiting();
  useEffect(() => {
    document.title = count > 0 ? `(${count}) Flotilla` : "Flotilla";
  }, [count]);
  return count;
}
