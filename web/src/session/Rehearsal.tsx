/** What the rehearsal agent is, and a script to try it with. It is never presented as a model. */
import type { ReactNode } from "react";

const script = `say Reading first, then asking.
read README.md
ask Which tone should the notes have? | Short | Friendly
write NOTES.md Written by a rehearsal.
run ls -la`;

export function Rehearsal({ onPrompt }: { onPrompt: (prompt: string) => void }): ReactNode {
  return (
    <p className="rounded bg-tint px-3 py-2 text-small text-muted">
      The rehearsal agent is no model and needs no account: it follows a script, asks for real permissions and
      edits real files, so that you can see how everything works. Any prompt gets a short tour; or{" "}
      <button type="button" className="link" onClick={() => onPrompt(script)}>
        fill in a script
      </button>
      , one step a line.
    </p>
  );
}
