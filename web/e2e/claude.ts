/** The real Claude Code, speaking to a model on this machine that plays the script in a prompt. No account, no key. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until, UP_MS } from "./bounded.ts";
import { claude, scriptedModel } from "./parts.ts";

export class ScriptedClaude {
  private readonly folder: string;
  private readonly model: ChildProcess;
  /** The sections for the configuration of a fleet. */
  readonly agents: string;

  private constructor(folder: string, model: ChildProcess, url: string) {
    this.folder = folder;
    this.model = model;
    const environment = {
      ANTHROPIC_BASE_URL: url,
      ANTHROPIC_API_KEY: "no-credential",
      CLAUDE_CONFIG_DIR: join(folder, ".claude"),
      DISABLE_AUTOUPDATER: "1",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    };
    this.agents = [
      "[agents.claude]",
      `command = ${toml(join(folder, "claude"))}`,
      `home = ${toml(folder)}`,
      "[agents.claude.env]",
      ...Object.entries(environment).map(([name, value]) => `${name} = ${toml(value)}`),
    ].join("\n");
  }

  static async start(): Promise<ScriptedClaude> {
    // A name of its own, so that no page shows where this checkout lies.
    const folder = mkdtempSync(join(tmpdir(), "claude "));
    const readyFile = join(folder, "model.url");
    const model = spawn(scriptedModel(), ["--ready-file", readyFile], { stdio: "ignore" });
    const url = await until("the scripted model", UP_MS, () =>
      existsSync(readyFile) ? readFileSync(readyFile, "utf8").trim() : null,
    );
    symlinkSync(claude(), join(folder, "claude"));
    return new ScriptedClaude(folder, model, url);
  }

  end(): void {
    this.model.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** A JSON string is a TOML string. */
const toml = (text: string): string => JSON.stringify(text);
