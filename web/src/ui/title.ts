/** A session's title as a person reads it. It is the beginning of a prompt, and may carry the marks of one. */

export function sessionTitle(title: string, agent: string): string {
  return plain(agent === "rehearsal" ? firstStep(title) : title).trim() || "Untitled";
}

/** Of a rehearsal's script the first line that its agent would write, without the word that says who speaks. */
function firstStep(title: string): string {
  const [line = ""] = title.split("\\n");
  return line.replace(/^(?:say|plan) /, "");
}

/** Without the marks of markdown; a lone star or a name_with_lines stays what it is. */
function plain(text: string): string {
  return (
    text
      .replace(/^\s*(?:#{1,6}|>|[-*+]|\d+[.)])\s+/, "")
      .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replaceAll(/(\*\*|__|~~)(?=\S)(.+?)\1/g, "$2")
      .replaceAll(/(?<![\w*])[*_](?=\S)([^*_]+)[*_](?![\w*])/g, "$1")
      .replaceAll(/`+([^`]*)`+/g, "$1")
      // What a cut title has left open.
      .replaceAll(/\*\*|~~|`/g, "")
  );
}
