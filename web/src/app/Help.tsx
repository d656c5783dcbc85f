/** The keys, on one small sheet that covers nothing one works on. */
import { X } from "lucide-react";
import type { ReactNode } from "react";

const keys: readonly (readonly [key: string, meaning: string])[] = [
  ["j", "next approval"],
  ["k", "previous approval"],
  ["y", "allow"],
  ["n", "deny"],
  ["e", "edit, then allow"],
  ["o", "open its session"],
  ["c", "new session"],
  ["r", "review the changes of a session"],
  ["Esc", "close what is open beside the page"],
  ["?", "these keys"],
];

export function Help({ onClose }: { onClose: () => void }): ReactNode {
  return (
    <aside
      aria-label="Keys"
      className="fixed bottom-14 left-3 z-20 w-[280px] rounded border border-line-strong bg-raised p-4 shadow-lg"
    >
      <header className="mb-2 flex items-center justify-between">
        <h2 className="font-semibold">Keys</h2>
        <button type="button" className="button-quiet" onClick={onClose}>
          <X size={14} aria-hidden />
          Close
        </button>
      </header>
      <dl className="grid grid-cols-[auto_1fr] gap-x-3 gap-y-1.5">
        {keys.map(([key, meaning]) => (
          <div key={key} className="contents">
            <dt>
              <kbd className="kbd">{key}</kbd>
            </dt>
            <dd className="text-muted">{meaning}</dd>
          </div>
        ))}
      </dl>
    </aside>
  );
}
