/** A place of the app: a head that stays and says what it is, and a page that scrolls under it. */
import type { ReactNode } from "react";
import { ConnectionLine } from "./ConnectionLine.tsx";

interface PageProps {
  title: string;
  subtitle?: string;
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, subtitle, actions, children }: PageProps): ReactNode {
  return (
    <main className="flex h-full flex-col">
      <header className="relative flex min-h-[63px] shrink-0 items-center gap-3 border-b border-line px-4 py-2 wide:px-5">
        <div className="min-w-0 grow">
          <h1 className="text-large font-semibold">{title}</h1>
          {subtitle ? <p className="text-small text-muted">{subtitle}</p> : null}
        </div>
        {actions}
        <ConnectionLine />
      </header>
      {/* Above what scrolls there is room for the connection line. */}
      <div className="min-h-0 grow overflow-y-auto overscroll-contain">
        <div className="mx-auto max-w-[800px] px-4 pt-7 pb-12 wide:px-5">{children}</div>
      </div>
    </main>
  );
}
