/** The three places on a phone, in reach of a thumb. */
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";
import { useWaiting } from "./attention.ts";
import { Badge } from "./Badge.tsx";
import { places } from "./places.ts";

export function BottomBar(): ReactNode {
  const [location] = useLocation();
  const { count } = useWaiting();
  return (
    <nav
      aria-label="Places"
      className="grid shrink-0 grid-cols-3 border-t border-line bg-panel pb-[env(safe-area-inset-bottom)]"
    >
      {places.map(({ href, title, icon: Icon }) => (
        <Link
          key={href}
          href={href}
          aria-current={location.startsWith(href) ? "page" : undefined}
          className={`relative flex min-h-14 flex-col items-center justify-center gap-0.5 text-small ${
            location.startsWith(href) ? "font-semibold text-accent" : "text-muted"
          }`}
        >
          <Icon size={20} aria-hidden />
          {title}
          {href === "/approvals" ? <Badge count={count} className="absolute top-1 left-1/2 ml-2" /> : null}
        </Link>
      ))}
    </nav>
  );
}
