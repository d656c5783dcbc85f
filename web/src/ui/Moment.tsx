/** A moment as an age, with the whole of it on hover. */
import type { ReactNode } from "react";
import { useNow } from "./clock.ts";
import { absolute, age, ago, clockTime } from "./time.ts";

interface MomentProps {
  at: string;
  /** `age` = "12 min", `ago` = "12 min ago", `clock` = "14:02". */
  as: "age" | "ago" | "clock";
  className?: string;
}

export function Moment({ at, as, className }: MomentProps): ReactNode {
  const now = useNow();
  return (
    <time dateTime={at} title={absolute(at)} className={className}>
      {words[as](at, now)}
    </time>
  );
}

const words: Record<MomentProps["as"], (at: string, now: number) => string> = { age, ago, clock: clockTime };
