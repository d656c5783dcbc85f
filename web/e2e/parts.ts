/** Where the real parts are that a journey runs. Owns how each is found, and the sentence for one that is not there. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../..");

export const flotilla = (): string =>
  part("FLOTILLA_BIN", [join(root, "target/debug/flotilla")], "run `cargo build --bin flotilla`");

export const scriptedModel = (): string =>
  part(
    "FLOTILLA_SCRIPTED_MODEL",
    [join(root, "target/debug/scripted-model")],
    "run `cargo build --bin scripted-model`",
  );

export const natsServer = (): string =>
  part("FLOTILLA_NATS_SERVER", [join(root, ".tools/nats-server")], "run `make nats-server`");

/** The vendor packs one binary a platform; npm installs the one that fits this machine. */
export const claude = (): string => {
  const scope = join(root, "testkit/agents/node_modules/@anthropic-ai");
  const platform = `claude-code-linux-${process.arch}`;
  const candidates = [`${platform}/claude`, `${platform}-musl/claude`].map((it) => join(scope, it));
  return part("FLOTILLA_CLAUDE", candidates, "run `make tools`");
};

function part(variable: string, candidates: readonly string[], hint: string): string {
  const named = process.env[variable];
  const found = (named ? [named] : candidates).find((path) => existsSync(path));
  if (found) return found;
  throw new Error(`${named ?? candidates[0]} is not there: ${hint}, or name another in ${variable}`);
}
