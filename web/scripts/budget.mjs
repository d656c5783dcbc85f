// Weighs what a browser fetches before the first screen, and fails the build when it grows beyond the budget.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const JS_KB_MAX = 200;
const CSS_KB_MAX = 12;
const LAZY_KB_MAX = 90;

const manifest = JSON.parse(readFileSync("dist/.vite/manifest.json", "utf8"));
const weigh = (file) => gzipSync(readFileSync(`dist/${file}`)).length / 1000;

const initial = new Set();
function walk(key) {
  if (initial.has(key)) return;
  initial.add(key);
  for (const next of manifest[key].imports ?? []) walk(next);
}
for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) walk(key);

let js = 0;
const styles = new Set();
for (const key of initial) {
  js += weigh(manifest[key].file);
  for (const css of manifest[key].css ?? []) styles.add(css);
}
let css = 0;
for (const file of styles) css += weigh(file);

const failures = [];
if (js > JS_KB_MAX) failures.push(`initial JS ${js.toFixed(1)} kB > ${JS_KB_MAX} kB`);
if (css > CSS_KB_MAX) failures.push(`initial CSS ${css.toFixed(1)} kB > ${CSS_KB_MAX} kB`);
console.log(
  `initial: JS ${js.toFixed(1)} kB gz (max ${JS_KB_MAX}), CSS ${css.toFixed(1)} kB gz (max ${CSS_KB_MAX})`,
);
for (const [key, chunk] of Object.entries(manifest)) {
  if (initial.has(key) || !chunk.file.endsWith(".js")) continue;
  const lazy = weigh(chunk.file);
  console.log(`lazy:    ${chunk.file} ${lazy.toFixed(1)} kB gz`);
  if (lazy > LAZY_KB_MAX) failures.push(`${chunk.file} ${lazy.toFixed(1)} kB > ${LAZY_KB_MAX} kB`);
}
for (const failure of failures) console.error(`over budget: ${failure}`);
process.exitCode = failures.length > 0 ? 1 : 0;
