/** Draws a highlighter's tree as spans. Only class names the highlighter made reach the page. */
import type { ElementContent, RootContent } from "hast";
import type { ReactNode } from "react";

export function colour(nodes: readonly (RootContent | ElementContent)[]): ReactNode[] {
  return nodes.map((node, index) => {
    if (node.type === "text") return node.value;
    if (node.type !== "element") return null;
    const names = node.properties["className"];
    const className = Array.isArray(names) ? names.join(" ") : undefined;
    return (
      // The tree of one text never changes order: an index is a true key here.
      // oxlint-disable-next-line react/no-array-index-key
      <span key={index} className={className}>
        {colour(node.children)}
      </span>
    );
  });
}
