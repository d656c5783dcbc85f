/** Draws the words inside a block. Unknown marks and raw HTML appear as they were written. */
import type { Token } from "marked";
import type { ReactNode } from "react";
import { decodeEntities, safeImage, safeLink } from "./safe.ts";
import { known } from "./tokens.ts";

const DEPTH_MAX = 24;

interface InlineProps {
  tokens: readonly Token[] | undefined;
  depth?: number;
  /** A link holds no other control: an image in it is shown by its words. */
  inLink?: boolean;
}

export function Inline({ tokens, depth = 0, inLink = false }: InlineProps): ReactNode {
  if (!tokens) return null;
  if (depth > DEPTH_MAX) return tokens.map((token) => token.raw).join("");
  return tokens.map((token, index) => (
    // Tokens of one block are drawn in order and never moved: an index is a true key here.
    // oxlint-disable-next-line react/no-array-index-key
    <Word key={index} token={token} depth={depth + 1} inLink={inLink} />
  ));
}

function Word({ token: open, depth, inLink }: { token: Token; depth: number; inLink: boolean }): ReactNode {
  const token = known(open);
  switch (token?.type) {
    case "text":
      return token.tokens ? (
        <Inline tokens={token.tokens} depth={depth} inLink={inLink} />
      ) : (
        decodeEntities(token.raw)
      );
    case "escape":
      return token.text;
    case "strong":
      return (
        <strong>
          <Inline tokens={token.tokens} depth={depth} inLink={inLink} />
        </strong>
      );
    case "em":
      return (
        <em>
          <Inline tokens={token.tokens} depth={depth} inLink={inLink} />
        </em>
      );
    case "del":
      return (
        <del>
          <Inline tokens={token.tokens} depth={depth} inLink={inLink} />
        </del>
      );
    case "codespan":
      return <code>{token.text}</code>;
    case "br":
      return <br />;
    case "checkbox":
      return <Checkbox checked={token.checked} />;
    case "link":
      return (
        <Link href={token.href}>
          <Inline tokens={token.tokens} depth={depth} inLink />
        </Link>
      );
    case "image":
      return inLink ? token.text || "image" : <RemoteImage href={token.href} text={token.text} />;
    default:
      // Raw HTML, and whatever a newer parser may bring: text, never markup.
      return open.raw;
  }
}

export function Checkbox({ checked }: { checked: boolean }): ReactNode {
  return <span className="checkbox">{checked ? "☑ " : "☐ "}</span>;
}

function Link({ href, children }: { href: string; children: ReactNode }): ReactNode {
  const target = safeLink(href);
  if (!target) return <span title={`Not a link that may be opened: ${href}`}>{children}</span>;
  return (
    <a href={target} target="_blank" rel="noreferrer noopener nofollow" title={target}>
      {children}
    </a>
  );
}

/**
 * An image is a request to a stranger, and its address can carry what the agent has read: it is never loaded here. A
 * person may follow it, and sees where to.
 */
function RemoteImage({ href, text }: { href: string; text: string }): ReactNode {
  const source = safeImage(href);
  if (!source) return <span className="image-placeholder">{text || "image"} (not shown)</span>;
  return (
    <a
      className="image-placeholder"
      href={source}
      target="_blank"
      rel="noreferrer noopener nofollow"
      title={source}
    >
      Image at {new URL(source).host}
      {text ? `: ${text}` : ""}
    </a>
  );
}
