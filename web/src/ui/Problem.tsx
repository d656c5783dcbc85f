/** What went wrong, what to do about it, and perhaps a way to try again. */
import { CircleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { Refusal } from "../api/client.ts";
import { Hint } from "./Hint.tsx";

interface ProblemProps {
  error: unknown;
  retry?: (() => void) | undefined;
}

export function Problem({ error, retry }: ProblemProps): ReactNode {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof Refusal ? error.hint : null;
  return (
    <div role="alert" className="flex items-start gap-2 rounded bg-bad-soft px-3 py-2 text-small text-bad">
      <CircleAlert size={16} aria-hidden className="mt-px shrink-0" />
      <div className="min-w-0 grow">
        <p>{message}</p>
        {hint ? (
          <p className="text-muted">
            <Hint text={hint} />
          </p>
        ) : null}
      </div>
      {retry ? (
        <button type="button" className="button-quiet -my-1" onClick={retry}>
          Try again
        </button>
      ) : null}
    </div>
  );
}
