/**
 * What was written and is not taken up: here, on its way, in the session's keeping, or refused. Each says how far it
 * is, and also what others sent and what was sent before this page was loaded.
 */
import { useQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { useShallow } from "zustand/react/shallow";
import { routes } from "../api/routes.ts";
import type { SentMessage, SessionRow } from "../api/wire.ts";
import { useSilence } from "../hosts/silence.ts";
import { forget, sendAgain, useOutbox, type Wish } from "../outbox/outbox.ts";
import { Problem } from "../ui/Problem.tsx";
import { Steps } from "../ui/Steps.tsx";
import { type MessageProgress, messageSteps, messageWords, type Whereabouts } from "./message.ts";
import type { SessionLog } from "./reduce.ts";

/** A message that is taken up sooner is not worth a line that comes and goes. */
const FLASH_MS = 400;

interface WaitingMessagesProps {
  row: SessionRow;
  log: SessionLog | null;
  running: boolean;
}

export function WaitingMessages({ row, log, running }: WaitingMessagesProps): ReactNode {
  const wishes = useOutbox(
    useShallow((outbox) =>
      [...outbox.wishes.values()].filter((wish) => wish.session === row.id && wish.id.startsWith("cmd_")),
    ),
  );
  const queued = log?.queue ?? [];
  const logged = new Set(queued.map(({ command }) => command));
  const inLog = (id: string): boolean => logged.has(id) || (log?.items.has(`user:${id}`) ?? false);
  const unheard = wishes.filter(({ id }) => !inLog(id));
  const own = new Set(unheard.map(({ id }) => id));
  const onTheWay = row.undelivered.filter(({ id }) => !own.has(id) && !inLog(id));
  if (queued.length + onTheWay.length + unheard.length === 0) return null;
  const place = { host: row.host, running };
  return (
    <ul aria-label="Messages that wait" className="max-h-[24dvh] overflow-y-auto">
      {queued.map((item) => (
        <Line
          key={item.command}
          {...place}
          text={item.text}
          where="delivered"
          progress={{ written: "unknown", accepted: "unknown", delivered: item.at, takenUp: null }}
        />
      ))}
      {onTheWay.map((message) => (
        <OnTheWay key={message.id} {...place} session={row.id} message={message} />
      ))}
      {unheard.map((wish) => (
        <Unheard key={wish.id} {...place} wish={wish} />
      ))}
    </ul>
  );
}

interface Place {
  host: string | null;
  running: boolean;
}

/** What this tab did not write: its text is asked for, and is said to be somebody's until it is here. */
function OnTheWay({
  session,
  message,
  ...place
}: Place & { session: string; message: SentMessage }): ReactNode {
  const { data } = useQuery({
    queryKey: ["waiting message", message.id],
    queryFn: () => routes.waitingMessage(session, message.id),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });
  const who = message.by_name ? `A message of ${message.by_name}` : "A message";
  return (
    <Line
      {...place}
      text={data?.text ?? who}
      where="accepted"
      progress={{ written: "unknown", accepted: message.at, delivered: null, takenUp: null }}
    />
  );
}

function Unheard({ wish, ...place }: Place & { wish: Wish }): ReactNode {
  const late = useLate();
  // Nobody else can say what this person wrote.
  if (wish.state === "overtaken") return null;
  if (wish.state !== "failed") {
    if (wish.state !== "queued" && !late) return null;
    const accepted = wish.state === "accepted" ? "unknown" : null;
    return (
      <Line
        {...place}
        text={wish.text}
        where={wish.state}
        progress={{ written: wish.at, accepted, delivered: null, takenUp: null }}
      />
    );
  }
  return (
    <li className="mb-2 grid gap-1">
      <p className="line-clamp-3 px-3 text-small whitespace-pre-wrap">{wish.text}</p>
      <div className="flex items-start gap-1">
        <div className="grow">
          <Problem error={wish.error} retry={() => void sendAgain(wish.id)} />
        </div>
        <button type="button" className="button-quiet" onClick={() => forget(wish.id)}>
          <X size={14} aria-hidden />
          Discard
        </button>
      </div>
    </li>
  );
}

interface LineProps extends Place {
  text: string;
  where: Whereabouts;
  progress: MessageProgress;
}

function Line({ text, where, progress, host, running }: LineProps): ReactNode {
  const silence = useSilence(host);
  return (
    <li className="mb-2 rounded bg-tint px-3 py-1.5 text-small">
      <p className="line-clamp-3 [overflow-wrap:anywhere] whitespace-pre-wrap">{text}</p>
      <div className="mt-0.5 flex flex-wrap items-baseline gap-x-2 text-muted" title={silence?.title}>
        <Steps steps={messageSteps(progress)} dotsOnly />
        {messageWords(where, host, silence, running)}
      </div>
    </li>
  );
}

/** Whether it has been there for longer than a flash. */
function useLate(): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), FLASH_MS);
    return () => clearTimeout(timer);
  }, []);
  return late;
}
