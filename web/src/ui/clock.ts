/** One clock for the whole page: what shows an age asks here, so that all ages change together and one timer runs. */
import { useSyncExternalStore } from "react";

const TICK_MS = 5000;

let now = Date.now();
let timer = 0;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1) {
    now = Date.now();
    timer = window.setInterval(tick, TICK_MS);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) clearInterval(timer);
  };
}

function tick(): void {
  now = Date.now();
  for (const listener of listeners) listener();
}

/** Milliseconds since 1970, some seconds old at most. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
