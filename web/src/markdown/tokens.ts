/** The one door between the lexer's open token type and the closed one that the drawing switches over. */
import type { MarkedToken, Token } from "marked";

/** The token with its exact type, or null for a kind this build does not know. */
export function known(token: Token): MarkedToken | null {
  return isKnown(token) ? token : null;
}

export function isKnown(token: Token): token is MarkedToken {
  return token.type in kinds;
}

const kinds: Record<MarkedToken["type"], true> = {
  blockquote: true,
  br: true,
  checkbox: true,
  code: true,
  codespan: true,
  def: true,
  del: true,
  em: true,
  escape: true,
  heading: true,
  hr: true,
  html: true,
  image: true,
  link: true,
  list: true,
  list_item: true,
  paragraph: true,
  space: true,
  strong: true,
  table: true,
  text: true,
};
