/** The page before the fleet: one narrow column with a form. */
import type { FormEvent, ReactNode } from "react";
import { Problem } from "../ui/Problem.tsx";

interface DoorProps {
  title: string;
  words: ReactNode;
  error: unknown;
  busy: boolean;
  action: string;
  onSubmit: () => void;
  children: ReactNode;
}

export function Door({ title, words, error, busy, action, onSubmit, children }: DoorProps): ReactNode {
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <main className="flex h-dvh flex-col items-center overflow-y-auto px-6 pt-[12dvh] pb-8">
      <form className="grid w-full max-w-[360px] gap-4" onSubmit={submit}>
        <header>
          <img src="/mark.svg" alt="" width="32" height="32" className="mb-4" />
          <h1 className="text-title font-semibold">{title}</h1>
          <p className="mt-1 text-muted">{words}</p>
        </header>
        {children}
        {error ? <Problem error={error} /> : null}
        <button type="submit" className="button button-primary button-touch" disabled={busy}>
          {action}
        </button>
      </form>
    </main>
  );
}

interface FieldProps {
  label: string;
  name: string;
  type?: "text" | "email" | "password";
  autoComplete: string;
  value: string;
  hint?: string;
  onChange: (value: string) => void;
}

export function Field({
  label,
  name,
  type = "text",
  autoComplete,
  value,
  hint,
  onChange,
}: FieldProps): ReactNode {
  return (
    <label className="block">
      <span className="label">{label}</span>
      <input
        className="field"
        required
        name={name}
        type={type}
        autoComplete={autoComplete}
        value={value}
        onChange={({ target }) => onChange(target.value)}
      />
      {hint ? <span className="mt-1 block text-small text-faint">{hint}</span> : null}
    </label>
  );
}
