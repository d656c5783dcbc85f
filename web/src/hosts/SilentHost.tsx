/** A line that says since when a host is silent, and what that means here. Nothing while it is heard of. */
import type { ReactNode } from "react";
import { StateMark } from "../ui/StateMark.tsx";
import { useSilence } from "./silence.ts";

interface SilentHostProps {
  host: string | null;
  /** What becomes of what is done now. */
  then: string;
  /** False where the mark of the session stands above it. */
  marked?: boolean;
  className?: string;
}

export function SilentHost({ host, then, marked = true, className = "" }: SilentHostProps): ReactNode {
  const silence = useSilence(host);
  if (!silence) return null;
  return (
    <p className={`flex items-start gap-2 text-small text-muted ${className}`} title={silence.title}>
      {marked ? (
        <span className="flex h-[18px] items-center">
          <StateMark state="lost" named={false} />
        </span>
      ) : null}
      <span className="min-w-0">
        <span className="font-medium text-bad">
          {host} {silence.since}.
        </span>{" "}
        {then}
      </span>
    </p>
  );
}
