/** Who is signed in. Below the frame there is always somebody. */
import { createContext, use } from "react";
import type { Me } from "../api/wire.ts";

export const MeContext = createContext<Me | null>(null);

export function useMe(): Me {
  const me = use(MeContext);
  if (!me) throw new Error("Nobody is signed in here.");
  return me;
}
