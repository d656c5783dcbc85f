/** A block of code: plain at once, coloured when the highlighter has come. Knows nothing of markdown. */
import { type ReactNode, useEffect, useState } from "react";
import { CopyButton } from "../ui/CopyButton.tsx";

/** Colouring a longer text would be felt. */
const HIGHLIGHT_CHARS_MAX = 40_000;

interface CodeProps {
  text: string;
  language: string;
  /** False while the fence is open: colours wait for the end, so that they do not flicker. */
  complete: boolean;
}

export function Code({ text, language, complete }: CodeProps): ReactNode {
  const coloured = useHighlight(text, language, complete);
  return (
    <div className="code-block group relative my-3">
      {/* Scrolls sideways, so the keyboard must reach it. */}
      <pre tabIndex={0} aria-label={language ? `Code, ${language}` : "Code"}>
        <code>{coloured ?? text}</code>
      </pre>
      <CopyButton
        text={text}
        className="absolute top-1 right-1 opacity-0 group-hover:opacity-100 focus:opacity-100"
      />
    </div>
  );
}

function useHighlight(text: string, language: string, complete: boolean): ReactNode {
  const [result, setResult] = useState<{ text: string; language: string; nodes: ReactNode } | null>(null);
  const wanted = complete && language !== "" && text.length <= HIGHLIGHT_CHARS_MAX;
  useEffect(() => {
    if (!wanted) return;
    let current = true;
    Promise.all([import("./highlight.ts"), import("./colour.tsx")]).then(
      ([{ highlight }, { colour }]) => {
        const tree = highlight(text, language.toLowerCase());
        if (current && tree) setResult({ text, language, nodes: colour(tree.children) });
      },
      () => {
        // Offline, or a new version was deployed: code without colours is still code.
      },
    );
    return () => {
      current = false;
    };
  }, [wanted, text, language]);
  return result?.text === text && result.language === language ? result.nodes : null;
}
