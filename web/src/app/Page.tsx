/** A place of the app: a head that says what it is, and a page that scrolls. */
import type { ReactNode } from "react";

interface PageProps {
  title: string;
  subtitle?: string;
  actions?: ReactNode;
  children: ReactNode;
}

export function Page({ title, subtitle, actions, children }: PageProps): ReactNode {
  return (
    <main className="h-full overflow-y-auto overscroll-contain">
      <div className="mx-auto max-w-[800px] px-4 pt-4 pb-12 wide:px-8 wide:pt-6">
        <header className="mb-4 flex items-start gap-3">
          <div className="min-w-0 grow">
            <h1 className="text-title font-semibold">{title}</h1>
            {subtitle ? <p className="text-muted">{subtitle}</p> : null}
          </div>
          {actions}
        </header>
        {children}
      </div>
    </main>
  );
}
