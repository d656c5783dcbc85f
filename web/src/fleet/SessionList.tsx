/** All sessions in groups. Owns the filter, and that nothing moves while a pointer is on the list. */
import { ChevronDown, ChevronRight, Search } from "lucide-react";
import { type ReactNode, useState } from "react";
import type { SessionRow } from "../api/wire.ts";
import { type Group, groupSessions, groupTitles, holdPlaces, type SessionGroup } from "./groups.ts";
import { SessionLine } from "./SessionLine.tsx";
import { useFleet } from "./store.ts";

/** Fewer are found by looking. */
const FILTER_FROM = 8;

export function SessionList({ current }: { current: string | null }): ReactNode {
  const sessions = useFleet((fleet) => fleet.sessions);
  const [filter, setFilter] = useState("");
  const [ended, setEnded] = useState(false);
  const [touched, setTouched] = useState(false);
  const groups = useHeldGroups(
    groupSessions([...sessions.values()].filter((row) => matches(row, filter))),
    touched,
  );
  return (
    <div
      onPointerEnter={() => setTouched(true)}
      onPointerLeave={() => setTouched(false)}
      onPointerCancel={() => setTouched(false)}
    >
      {sessions.size >= FILTER_FROM ? (
        <label className="relative mx-2.5 mb-2 block">
          <span className="sr-only">Filter sessions</span>
          <Search size={14} aria-hidden className="absolute top-1/2 left-3 -translate-y-1/2 text-faint" />
          <input
            className="field pl-8!"
            type="search"
            placeholder="Title, project, host"
            value={filter}
            onChange={({ target }) => setFilter(target.value)}
          />
        </label>
      ) : null}
      {groups.map(({ group, rows }) => (
        <section key={group} className="mb-3">
          {group === "ended" ? (
            <button
              type="button"
              className="heading-small flex min-h-8 w-full items-center gap-1 px-2.5"
              aria-expanded={ended}
              onClick={() => setEnded(!ended)}
            >
              {ended ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
              <Heading group={group} rows={rows} />
            </button>
          ) : (
            <h2 className="heading-small px-2.5 py-1">
              <Heading group={group} rows={rows} />
            </h2>
          )}
          {group !== "ended" || ended ? (
            <ul>
              {rows.map((row) => (
                <SessionLine key={row.id} row={row} current={row.id === current} title={groupTitles[group]} />
              ))}
            </ul>
          ) : null}
        </section>
      ))}
      {groups.length === 0 && filter !== "" ? (
        <p className="px-2.5 text-small text-muted">No session matches.</p>
      ) : null}
    </div>
  );
}

function Heading({ group, rows }: SessionGroup): ReactNode {
  return (
    <>
      {groupTitles[group]} <span className="font-normal">{rows.length}</span>
    </>
  );
}

/** While a pointer is on the list, what is shown keeps its place. */
function useHeldGroups(groups: SessionGroup[], held: boolean): readonly SessionGroup[] {
  const [places, setPlaces] = useState<readonly { group: Group; ids: readonly string[] }[]>([]);
  const rows = new Map(groups.flatMap((it) => it.rows.map((row) => [row.id, row])));
  const before = places.map(({ group, ids }) => ({ group, rows: ids.flatMap((id) => rows.get(id) ?? []) }));
  const shown = held ? holdPlaces(before, groups) : groups;
  const next = shown.map((it) => ({ group: it.group, ids: it.rows.map((row) => row.id) }));
  // Remembered while drawing, not after: an effect would show the moved list for one frame.
  if (JSON.stringify(next) !== JSON.stringify(places)) setPlaces(next);
  return shown;
}

function matches(row: SessionRow, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const text =
    `${row.title} ${row.project_name} ${row.host ?? ""} ${row.branch ?? ""} ${row.agent} ${row.id}`.toLowerCase();
  return words.every((word) => text.includes(word));
}
