/**
 * Which rows a person has opened. Kept outside the rows: one that scrolls away is no longer drawn, and must be as it
 * was when it comes back.
 */
import { create } from "zustand";

const useOpened = create<{ readonly ids: ReadonlySet<string> }>(() => ({ ids: new Set() }));

export function useOpen(id: string): readonly [open: boolean, toggle: () => void] {
  const open = useOpened(({ ids }) => ids.has(id));
  return [open, () => toggle(id)];
}

function toggle(id: string): void {
  useOpened.setState(({ ids }) => {
    const next = new Set(ids);
    if (!next.delete(id)) next.add(id);
    return { ids: next };
  });
}
