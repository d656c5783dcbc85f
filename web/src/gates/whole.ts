/** A gate with all of its texts: what was too long to travel is fetched, since nobody may approve what they cannot see. */
import { useQuery } from "@tanstack/react-query";
import { routes } from "../api/routes.ts";
import type { Gate } from "../api/wire.ts";

export interface WholeGate {
  readonly gate: Gate;
  /** Why the whole of it cannot be had; null while it may still come. */
  readonly problem: Error | null;
  readonly retry: () => void;
}

export function useWholeGate(gate: Gate): WholeGate {
  const asked = useQuery({
    queryKey: ["gate", gate.id, gate.input_hash],
    queryFn: () => routes.gate(gate.id),
    enabled: gate.truncated,
    staleTime: Infinity,
  });
  const retry = (): void => void asked.refetch();
  const whole = asked.data;
  if (!gate.truncated || whole?.input_hash !== gate.input_hash) return { gate, problem: asked.error, retry };
  const { input, questions, plan, truncated } = whole;
  return { gate: { ...gate, input, questions, plan, truncated }, problem: null, retry };
}
