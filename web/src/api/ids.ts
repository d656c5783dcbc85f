/** Ids that the page gives out, so that sending something twice changes nothing: a prefix and a UUIDv7 in hex. */

export function newId(prefix: "aud" | "cmd" | "ses"): string {
  const random = crypto.getRandomValues(new Uint8Array(10));
  const time = Date.now().toString(16).padStart(12, "0");
  const hex = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const variant = ((Number.parseInt(hex.charAt(3), 16) & 0x3) | 0x8).toString(16);
  return `${prefix}_${time}7${hex.slice(0, 3)}${variant}${hex.slice(4, 19)}`;
}
