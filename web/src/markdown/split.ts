/**
 * Cuts growing markdown into blocks. Owns the rule of when a block is settled, that is: no text that follows can
 * change it. Settled blocks keep their identity for ever, so only the tail is parsed and drawn again.
 * Knows nothing of React, of links or of safety.
 */
import { Lexer, type MarkedToken } from "marked";
import { isKnown } from "./tokens.ts";

/** A paragraph this long without a settled block is shown as plain text: the lexer is not linear in hostile input. */
const TAIL_CHARS_MAX = 64_000;

export interface Block {
  readonly key: number;
  readonly token: MarkedToken;
  /** False while text that follows may still change it: an unclosed fence, the last paragraph. */
  readonly settled: boolean;
}

type Links = Lexer["tokens"]["links"];

export class Splitter {
  private source = "";
  private heldReturn = "";
  private tail = "";
  private settled: Block[] = [];
  private links: Links = {};
  private shown: readonly Block[] = [];

  /** The blocks of `source`. Cheap when `source` begins with what was given last time. */
  update(source: string): readonly Block[] {
    if (source === this.source) return this.shown;
    if (!source.startsWith(this.source)) this.reset();
    this.append(source.slice(this.source.length));
    this.source = source;
    return this.shown;
  }

  private reset(): void {
    this.source = "";
    this.heldReturn = "";
    this.tail = "";
    this.settled = [];
    this.links = {};
  }

  private append(chunk: string): void {
    const text = this.heldReturn + chunk;
    // A carriage return at the end may be half of a line break.
    this.heldReturn = text.endsWith("\r") ? "\r" : "";
    this.tail += text.slice(0, text.length - this.heldReturn.length).replaceAll(/\r\n?/g, "\n");

    const openFence = readOpenFence(this.tail);
    const tokens = openFence ? [openFence] : this.lex(this.tail);
    const boundary = openFence ? 0 : settledCount(tokens, this.tail);
    for (const token of tokens.slice(0, boundary)) {
      this.settled.push({ key: this.settled.length, token, settled: true });
      this.tail = this.tail.slice(token.raw.length);
      if (token.type === "def") this.links[token.tag] ??= { href: token.href, title: token.title };
    }
    const rest = tokens.slice(boundary).map((token, index) => ({
      key: this.settled.length + index,
      token,
      settled: token.type === "code" && !isOpenFence(token.raw) && token.codeBlockStyle !== "indented",
    }));
    this.shown = [...this.settled, ...rest];
  }

  private lex(text: string): MarkedToken[] {
    if (text.length > TAIL_CHARS_MAX) return [plain(text)];
    try {
      const lexer = new Lexer();
      Object.assign(lexer.tokens.links, this.links);
      return lexer.lex(text).filter(isKnown);
    } catch {
      // Nesting beyond the stack. What was written is still shown, as it was written.
      return [plain(text)];
    }
  }
}

/** How many tokens from the start cannot change any more. */
function settledCount(tokens: readonly MarkedToken[], text: string): number {
  // Some tokens are not raw-faithful (tabs are widened): then offsets cannot be trusted, and all is kept open.
  if (tokens.reduce((length, token) => length + token.raw.length, 0) !== text.length) return 0;
  let count = 0;
  let offset = 0;
  for (const [index, token] of tokens.entries()) {
    if (index > 0 && token.type !== "space" && startsAfresh(text, offset)) count = index;
    offset += token.raw.length;
  }
  return count;
}

/** A complete line at column 0 after an empty line, or a complete fence line: it can continue nothing before it. */
function startsAfresh(text: string, offset: number): boolean {
  const lineEnd = text.indexOf("\n", offset);
  if (lineEnd === -1 || text.charAt(offset).trim() === "") return false;
  return text.slice(0, offset).endsWith("\n\n") || fenceLine.test(text.slice(offset, lineEnd + 1));
}

const fenceLine = /^ {0,3}(?:(`{3,})([^`\n]*)|(~{3,})([^\n]*))\n/;

function isOpenFence(raw: string): boolean {
  return readOpenFence(raw.endsWith("\n") ? raw : `${raw}\n`) !== null;
}

/** The text as a code block, if it is one that has not been closed. Spares parsing a long file at every chunk. */
function readOpenFence(text: string): MarkedToken | null {
  const opening = fenceLine.exec(text);
  if (!opening) return null;
  const marker = opening[1] ?? opening[3] ?? "";
  const body = text.slice(opening[0].length);
  const closing = new RegExp(`(?:^|\\n) {0,3}${marker.charAt(0)}{${marker.length},}[ \\t]*(?:\\n|$)`);
  if (closing.test(body)) return null;
  return { type: "code", raw: text, lang: (opening[2] ?? opening[4] ?? "").trim(), text: body };
}

function plain(text: string): MarkedToken {
  return { type: "text", raw: text, text };
}
