/** Says that a card does not show all of what it asks. */
import type { ReactNode } from "react";
import { Problem } from "../ui/Problem.tsx";

export function Cut({ problem, retry }: { problem: Error | null; retry: () => void }): ReactNode {
  if (problem) return <Problem error={problem} retry={retry} />;
  return <p className="text-small text-needs">This is only the beginning; the rest is on its way.</p>;
}
