/** Since when a host is silent, in the words that every page uses. A host that is heard of has none. */
import type { HostRow } from "../api/wire.ts";
import { useFleet } from "../fleet/store.ts";
import { useNow } from "../ui/clock.ts";
import { absolute, age, ago } from "../ui/time.ts";

export interface Silence {
  /** `last heard 40 s ago`, beside the host's name. */
  readonly since: string;
  /** `vps-2 has not been heard for 40 s`, after what has come as far as it can. */
  readonly sentence: string;
  /** The whole moment, for hovering. */
  readonly title: string;
}

/** `null` is the host of a session that has none yet. */
export function useSilence(name: string | null): Silence | null {
  const host = useFleet(({ hosts }) => (name === null ? null : (hosts.get(name) ?? null)));
  const now = useNow();
  return host && silenceOf(host, now);
}

export function silenceOf({ host, state, heard_at }: HostRow, now: number): Silence | null {
  if (state !== "silent") return null;
  if (heard_at === null) {
    return {
      since: "silent",
      sentence: `${host} is silent`,
      title: `${host} has not been heard since this coordinator was started`,
    };
  }
  return {
    since: `last heard ${ago(heard_at, now)}`,
    sentence: `${host} has not been heard for ${age(heard_at, now)}`,
    title: `Last heard ${absolute(heard_at)}`,
  };
}
