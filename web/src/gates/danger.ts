/**
 * Which commands cannot be undone, so that a tap is too little: the word to type before they may be allowed.
 * A net for the hand, not a judgement of the command: what it does not know is not safe for that.
 */
import type { Gate } from "../api/wire.ts";
import { commandOf } from "../session/tools.ts";

const words: readonly (readonly [word: string, pattern: RegExp])[] = [
  ["delete", /\brm\b(?=[^|;&]*\s(?:-[a-z]*[rR]|--recursive))(?=[^|;&]*\s(?:-[a-z]*f|--force|\/|~|\$|\*))/],
  ["force", /\bgit\b[^|;&]*\bpush\b[^|;&]*\s(?:-f\b|--force|\+\S)/],
  ["push", /\bgit\b[^|;&]*\bpush\b/],
  ["discard", /\bgit\b[^|;&]*\b(?:reset\s+--hard|clean\s+-[a-z]*f|checkout\s+(?:--\s+)?\.)/],
  ["root", /\b(?:sudo|doas|su)\b/],
  ["run", /\b(?:curl|wget)\b[^;&]*\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b/],
  ["overwrite", /\bdd\b[^|;&]*\bof=|\bmkfs|>\s*\/dev\/[sn]d/],
  [
    "destroy",
    /\b(?:terraform|tofu|pulumi)\b[^|;&]*\bdestroy\b|\bkubectl\b[^|;&]*\bdelete\b|\bdrop\s+(?:table|database|schema)\b/i,
  ],
  ["publish", /\b(?:npm|pnpm|yarn|cargo|twine|gem)\b[^|;&]*\b(?:publish|upload)\b/],
  ["stop", /\b(?:shutdown|reboot|poweroff|halt)\b/],
];

/** The word that must be typed, or null. */
export function dangerWord(gate: Pick<Gate, "tool" | "input">): string | null {
  const command = commandOf(gate.tool, gate.input);
  if (command === null) return null;
  return words.find(([, pattern]) => pattern.test(command))?.[0] ?? null;
}
