/** Who is signed in, and the look of the page. */
import { useQueryClient } from "@tanstack/react-query";
import { LogOut, Moon, Sun, SunMoon } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useMe } from "../account/me.ts";
import { routes } from "../api/routes.ts";
import { chooseTheme, currentTheme, type Theme } from "./theme.ts";

export function Account(): ReactNode {
  const me = useMe();
  const queries = useQueryClient();
  const leave = async (): Promise<void> => {
    await routes.logout();
    queries.clear();
    window.location.assign("/");
  };
  return (
    <>
      <span className="min-w-0 grow truncate px-2 text-small text-muted" title={me.email}>
        {me.name}
      </span>
      <ThemeButton />
      <button type="button" className="button-quiet" onClick={() => void leave()} title="Sign out">
        <LogOut size={14} aria-hidden />
        <span className="sr-only">Sign out</span>
      </button>
    </>
  );
}

const next: Record<Theme, Theme> = { system: "light", light: "dark", dark: "system" };
const looks: Record<Theme, { word: string; icon: typeof Sun }> = {
  system: { word: "Theme: as the system", icon: SunMoon },
  light: { word: "Theme: light", icon: Sun },
  dark: { word: "Theme: dark", icon: Moon },
};

function ThemeButton(): ReactNode {
  const [theme, setTheme] = useState(currentTheme);
  const { word, icon: Icon } = looks[theme];
  const change = (): void => {
    chooseTheme(next[theme]);
    setTheme(next[theme]);
  };
  return (
    <button type="button" className="button-quiet" onClick={change} title={word}>
      <Icon size={14} aria-hidden />
      <span className="sr-only">{word}</span>
    </button>
  );
}
