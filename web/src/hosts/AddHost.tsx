/** How another machine joins: a name, then the one command to type there. It says so when the host appears. */
import { useMutation } from "@tanstack/react-query";
import { Check, CircleAlert } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { routes } from "../api/routes.ts";
import type { EnrolmentCreated, HostRow } from "../api/wire.ts";
import { useNow } from "../ui/clock.ts";
import { CopyButton } from "../ui/CopyButton.tsx";
import { Hint } from "../ui/Hint.tsx";
import { Moment } from "../ui/Moment.tsx";
import { Problem } from "../ui/Problem.tsx";
import { QrPicture } from "./QrPicture.tsx";

interface AddHostProps {
  hosts: readonly HostRow[];
  done: () => void;
}

export function AddHost({ hosts, done }: AddHostProps): ReactNode {
  const [name, setName] = useState("");
  const invite = useMutation({ mutationFn: routes.invite });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    invite.mutate({ host: name.trim() });
  };
  return (
    <section aria-label="Add a host" className="mb-6 border-b border-line pb-6">
      {invite.data ? (
        <Invitation
          made={invite.data}
          host={hosts.find(({ host }) => host === invite.data.host)}
          again={() => invite.mutate({ host: invite.data.host })}
          done={done}
        />
      ) : (
        <form className="grid gap-3" onSubmit={submit}>
          <p className="text-muted">
            The machine dials out to this fleet; nothing ever dials into it. It needs the “flotilla” program
            and nothing else.
          </p>
          <label className="block max-w-[360px]">
            <span className="label">What is it to be called?</span>
            <input
              className="field"
              required
              name="host"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              placeholder="vps-2"
              maxLength={40}
              value={name}
              onChange={({ target }) => setName(target.value)}
            />
            <span className="mt-1 block text-small text-faint">
              1 to 40 of a–z, 0–9 and “-”. People see it beside every session.
            </span>
          </label>
          {invite.error ? <Problem error={invite.error} /> : null}
          <div className="flex gap-2">
            <button type="submit" className="button button-primary" disabled={invite.isPending}>
              Show the command
            </button>
            <button type="button" className="button" onClick={done}>
              Cancel
            </button>
          </div>
        </form>
      )}
    </section>
  );
}

interface InvitationProps {
  made: EnrolmentCreated;
  host: HostRow | undefined;
  again: () => void;
  done: () => void;
}

function Invitation({ made, host, again, done }: InvitationProps): ReactNode {
  const over = Date.parse(made.expires_at) <= useNow();
  if (host) {
    return (
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2" role="status">
        <p className="flex min-w-0 grow items-center gap-2">
          <Check size={16} aria-hidden className="shrink-0 text-good" />
          <span className="[overflow-wrap:anywhere]">
            <b className="font-medium">{made.host}</b> is connected.
          </span>
        </p>
        <button type="button" className="button" onClick={done}>
          Done
        </button>
      </div>
    );
  }
  return (
    <div className="grid gap-3">
      <p>
        Type this on the machine that is to be <b className="font-medium">{made.host}</b>:
      </p>
      <div className="flex flex-col gap-4 wide:flex-row">
        <div className="min-w-0 grow">
          <pre className="code-view px-3 py-2 !whitespace-pre-wrap [overflow-wrap:anywhere]">
            <code>{made.command}</code>
          </pre>
          <CopyButton text={made.command} className="mt-1" />
        </div>
        <QrPicture code={made.qr} label="The same command as a QR code" />
      </div>
      {made.warning ? (
        <p className="flex items-start gap-2 text-small text-muted">
          <CircleAlert size={16} aria-hidden className="mt-px shrink-0 text-needs" />
          <span className="min-w-0 [overflow-wrap:anywhere]">
            <Hint text={made.warning} />
          </span>
        </p>
      ) : null}
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        <p role="status" className="min-w-0 grow text-small text-muted">
          {over ? (
            "This command has expired."
          ) : (
            <>
              Waiting for {made.host}. It serves once, until <Moment at={made.expires_at} as="clock" />.
            </>
          )}
        </p>
        {over ? (
          <button type="button" className="button" onClick={again}>
            Make another one
          </button>
        ) : null}
        <button type="button" className="button" onClick={done}>
          Close
        </button>
      </div>
    </div>
  );
}
