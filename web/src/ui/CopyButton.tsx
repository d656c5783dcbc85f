/** Copies a text, and says that it did. */
import { Check, Copy } from "lucide-react";
import { type ReactNode, useRef, useState } from "react";

const SHOWN_MS = 1500;

export function CopyButton({ text, className = "" }: { text: string; className?: string }): ReactNode {
  const [copied, setCopied] = useState(false);
  const timer = useRef(0);
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(() => {
      setCopied(true);
      clearTimeout(timer.current);
      timer.current = window.setTimeout(() => setCopied(false), SHOWN_MS);
    });
  };
  return (
    <button type="button" onClick={copy} className={`button-quiet ${className}`}>
      {copied ? <Check size={14} aria-hidden /> : <Copy size={14} aria-hidden />}
      <span>{copied ? "Copied" : "Copy"}</span>
    </button>
  );
}
