/** An agent's text as a page. Owns the drawing of blocks; what a block is comes from the splitter. */
import type { MarkedToken, Token, Tokens } from "marked";
import { memo, type ReactNode, useState } from "react";
import { Code } from "./Code.tsx";
import { Checkbox, Inline } from "./Inline.tsx";
import { type Block, Splitter } from "./split.ts";
import { known } from "./tokens.ts";

/** Deeper nesting is shown as it was written. */
const DEPTH_MAX = 12;

export const Markdown = memo(function Markdown({ text }: { text: string }): ReactNode {
  // The splitter gives the same answer for the same text, so asking it while drawing is safe.
  const [splitter] = useState(() => new Splitter());
  return (
    <div className="prose">
      {splitter.update(text).map((block) => (
        <SettledBlock key={block.key} block={block} token={block.token} />
      ))}
    </div>
  );
});

/** Drawn again only when its token is another one. */
const SettledBlock = memo(function SettledBlock({ block }: { block: Block; token: MarkedToken }): ReactNode {
  return drawBlock(block.token, block.settled, 0);
});

function drawBlock(open: Token, settled: boolean, depth: number): ReactNode {
  if (depth > DEPTH_MAX) return <p>{open.raw}</p>;
  const token = known(open);
  switch (token?.type) {
    case "space":
    case "def":
      return null;
    case "hr":
      return <hr />;
    case "heading":
      return <Heading token={token} />;
    case "paragraph":
      return (
        <p>
          <Inline tokens={token.tokens} />
        </p>
      );
    case "text":
      return token.tokens ? (
        <Inline tokens={token.tokens} />
      ) : (
        <span className="whitespace-pre-wrap">{token.raw}</span>
      );
    case "checkbox":
      return <Checkbox checked={token.checked} />;
    case "code":
      return <Code text={token.text} language={token.lang?.split(/\s/)[0] ?? ""} complete={settled} />;
    case "blockquote":
      return <blockquote>{drawBlocks(token.tokens, settled, depth)}</blockquote>;
    case "list":
      return <List token={token} settled={settled} depth={depth} />;
    case "table":
      return <Table token={token} />;
    default:
      // Raw HTML, and whatever a newer parser may bring: text, never markup.
      return <p className="whitespace-pre-wrap">{open.raw}</p>;
  }
}

function drawBlocks(tokens: readonly Token[] | undefined, settled: boolean, depth: number): ReactNode {
  return tokens?.map((token, index) => (
    // Blocks of one quote or item are drawn in order and never moved: an index is a true key here.
    // oxlint-disable-next-line react/no-array-index-key
    <Nested key={index}>{drawBlock(token, settled, depth + 1)}</Nested>
  ));
}

function Nested({ children }: { children: ReactNode }): ReactNode {
  return children;
}

/** An agent's headings lie below those of the page, all on one level: how it nests them is not ours to trust. */
function Heading({ token }: { token: Tokens.Heading }): ReactNode {
  return (
    <h3 className={`level-${token.depth}`}>
      <Inline tokens={token.tokens} />
    </h3>
  );
}

function List({ token, settled, depth }: { token: Tokens.List; settled: boolean; depth: number }): ReactNode {
  const items = token.items.map((item, index) => (
    // oxlint-disable-next-line react/no-array-index-key
    <li key={index}>{drawBlocks(item.tokens, settled, depth)}</li>
  ));
  return token.ordered ? <ol start={token.start === "" ? 1 : token.start}>{items}</ol> : <ul>{items}</ul>;
}

function Table({ token }: { token: Tokens.Table }): ReactNode {
  return (
    // Scrolls sideways, so the keyboard must reach it.
    <section className="table-scroll" tabIndex={0} aria-label="Table">
      <table>
        <thead>
          <tr>{token.header.map(drawCell)}</tr>
        </thead>
        <tbody>
          {token.rows.map((row, at) => (
            // oxlint-disable-next-line react/no-array-index-key
            <tr key={at}>{row.map(drawCell)}</tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function drawCell(data: Tokens.TableCell, index: number): ReactNode {
  const Tag = data.header ? "th" : "td";
  return (
    <Tag key={index} style={data.align ? { textAlign: data.align } : undefined}>
      <Inline tokens={data.tokens} />
    </Tag>
  );
}
