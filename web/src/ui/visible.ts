/**
 * Makes seen what would deceive the eye: characters that turn, hide or join text. What a person approves must read
 * as it runs.
 */

const unseen =
  // oxlint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF]/g;

export function visible(text: string): string {
  return text.replaceAll(
    unseen,
    (it) => `⟨U+${it.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`,
  );
}
