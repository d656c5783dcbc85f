/** Where a path lies: told from the session's worktree when it is inside it. Pure, and careful: `..` is never inside. */

export interface Place {
  readonly name: string;
  readonly where: "inside" | "outside" | "unknown";
}

export function placeOf(path: string, worktree: string | null): Place {
  if (worktree === null || !path.startsWith("/")) return { name: path, where: "unknown" };
  const root = worktree.endsWith("/") ? worktree : `${worktree}/`;
  if (path.split("/").includes("..")) return { name: path, where: "outside" };
  if (`${path}/` === root || path === root) return { name: ".", where: "inside" };
  return path.startsWith(root)
    ? { name: path.slice(root.length), where: "inside" }
    : { name: path, where: "outside" };
}
