/**
 * What an agent's text may make a browser do: follow a link a person clicked, and nothing else.
 * Everything here decides from the text alone, without touching the page.
 */

const linkSchemes: ReadonlySet<string> = new Set(["http:", "https:", "mailto:"]);

/** The address of a link that may be followed, or null. Addresses without a scheme (`//host`, `/path`) are refused. */
export function safeLink(href: string): string | null {
  const url = parse(href);
  return url && linkSchemes.has(url.protocol) ? url.href : null;
}

/** The address of a remote image that a person may go to, or null. */
export function safeImage(href: string): string | null {
  const url = parse(href);
  return url && (url.protocol === "https:" || url.protocol === "http:") ? url.href : null;
}

/** Undoes the few character references that people write; others stay as they are. */
export function decodeEntities(text: string): string {
  return text.replaceAll(
    /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos|nbsp));/g,
    decodeEntity,
  );
}

const named: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: "\u00A0",
};

function decodeEntity(whole: string, decimal?: string, hex?: string, name?: string): string {
  if (name) return named[name] ?? whole;
  const code = decimal ? Number.parseInt(decimal, 10) : Number.parseInt(hex ?? "", 16);
  const printable = code >= 32 && code <= 0x10_ff_ff && !(code >= 0xd8_00 && code <= 0xdf_ff);
  return printable ? String.fromCodePoint(code) : whole;
}

function parse(href: string): URL | null {
  // A control character or a blank inside an address is how filters are deceived.
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u0020\u007F]/.test(href)) return null;
  return URL.canParse(href) ? new URL(href) : null;
}
