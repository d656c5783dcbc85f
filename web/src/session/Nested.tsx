/** Sets what a subagent does apart from what its agent does. */
import type { ReactNode } from "react";

export function Nested({ parent, children }: { parent: string | null; children: ReactNode }): ReactNode {
  if (parent === null) return children;
  return (
    <div className="ml-1.5 border-l-2 border-line pl-3">
      <span className="sr-only">By a subagent:</span>
      {children}
    </div>
  );
}
