/** The agent waits before it asks its model again. */
import type { ReactNode } from "react";
import type { SessionFacts } from "./facts.ts";
import { duration } from "../ui/time.ts";

export function Retrying({ retry }: { retry: NonNullable<SessionFacts["retry"]> }): ReactNode {
  return (
    <p className="mx-auto max-w-[760px] pb-4 text-small text-needs" role="status">
      The model did not answer ({retry.error}
      {retry.status ? `, ${retry.status}` : ""}). The agent tries again after {duration(retry.delay_ms)},
      attempt {retry.attempt} of {retry.attempts_max}.
    </p>
  );
}
