/**
 * A whole installation, private to one journey: the real `flotilla up` in a folder of its own, which has a space in its
 * name. Owns its processes and its folder, from the first to the last. Knows no browser.
 */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { until, UP_MS } from "./bounded.ts";
import { flotilla, natsServer } from "./parts.ts";

const run = promisify(execFile);

/** What `up` writes once everything answers. */
interface Ready {
  readonly url: string;
  readonly setup_token: string | null;
  readonly pids: Readonly<Record<"nats" | "coordinator" | "runner", number>>;
}

export class Fleet {
  private readonly folder = mkdtempSync(join(tmpdir(), "a fleet "));
  private readonly data = join(this.folder, "data");
  private readonly readyFile = join(this.folder, "ready.json");
  private readonly configuration = join(this.folder, "flotilla.toml");
  private up: ChildProcess | null = null;
  private readonly others: ChildProcess[] = [];
  /** The data folders of other machines. */
  private readonly elsewhere: string[] = [];
  /** Set while the runner is held still. */
  private thaw: (() => void) | null = null;

  /** With a project `shop`; `runner` is more of that section of the configuration file, `agents` sections of their own. */
  static async start(agents: string, runner: string, slots: number): Promise<Fleet> {
    const fleet = new Fleet();
    try {
      makeProject(fleet.project);
      writeFileSync(
        fleet.configuration,
        `[runner]\nhost = "workbench"\nslots = ${slots}\n${runner}\n\n${agents}`,
      );
      await fleet.begin();
      return fleet;
    } catch (error) {
      await fleet.end();
      throw error;
    }
  }

  /** The human's own checkout. */
  get project(): string {
    return join(this.folder, "shop");
  }

  get url(): string {
    return this.ready().url.replace(/\/$/, "");
  }

  get setupLink(): string {
    const link = readFileSync(this.log, "utf8").match(/\S+\/setup\S*/)?.[0];
    if (!link) throw new Error(`no setup link was printed: ${this.said()}`);
    return link;
  }

  get setupToken(): string {
    return this.ready().setup_token ?? "";
  }

  /** Kills the coordinator, and holds `up` back from replacing it until the returned function is called. */
  async killCoordinator(): Promise<() => Promise<void>> {
    const before = this.ready().pids.coordinator;
    this.signal("SIGSTOP");
    process.kill(before, "SIGKILL");
    return async () => {
      this.signal("SIGCONT");
      await until("another coordinator", UP_MS, () =>
        this.ready().pids.coordinator === before ? null : true,
      );
    };
  }

  /** Holds the runner still, as a host that sleeps or lost its link; the returned function lets it go on. */
  freezeHost(): () => void {
    const { runner } = this.ready().pids;
    process.kill(runner, "SIGSTOP");
    this.thaw = () => {
      process.kill(runner, "SIGCONT");
      this.thaw = null;
    };
    return this.thaw;
  }

  /** Kills the agent that works in this folder, as the kernel does when memory runs out. */
  async killAgent(worktree: string): Promise<void> {
    const pid = await until("the agent's process", UP_MS, () => rehearsalIn(worktree));
    process.kill(pid, "SIGKILL");
  }

  /** Kills the coordinator; `up` starts another in its place. */
  async replaceCoordinator(): Promise<void> {
    await (
      await this.killCoordinator()
    )();
  }

  /** A second coordinator on the same NATS, with a projection of its own. It ends with the fleet. */
  async anotherCoordinator(): Promise<Coordinator> {
    const folder = join(this.folder, `coordinator ${this.others.length + 2}`);
    mkdirSync(folder);
    const theirs = readFileSync(join(this.data, "coordinator", "coordinator.toml"), "utf8");
    const port = await freePort();
    const configuration = join(folder, "coordinator.toml");
    writeFileSync(configuration, settingsElsewhere(theirs, `127.0.0.1:${port}`, folder));
    const log = openSync(join(folder, "log"), "a");
    const process = spawn(flotilla(), ["coordinator", "--config", configuration], {
      stdio: ["ignore", log, log],
    });
    this.others.push(process);
    const url = `http://127.0.0.1:${port}`;
    await until("the other coordinator to be ready", UP_MS, async () => {
      if (process.exitCode !== null) throw new Error(readFileSync(join(folder, "log"), "utf8"));
      const answer = await fetch(`${url}/readyz`).catch(() => null);
      return answer?.ok ? true : null;
    });
    return { port, kill: () => void process.kill("SIGKILL") };
  }

  /** Types a command on a machine with nothing on it but `flotilla`. What it starts ends with the fleet. */
  typeElsewhere(command: string): void {
    const folder = join(this.folder, `machine ${this.others.length + 2}`);
    mkdirSync(folder);
    const log = openSync(join(folder, "log"), "a");
    // Its shims outlive it, so `end` looks for them there.
    this.elsewhere.push(join(folder, "flotilla"));
    const env = { PATH: dirname(flotilla()), HOME: folder, XDG_DATA_HOME: folder };
    this.others.push(spawn("/bin/sh", ["-c", `exec ${command}`], { env, stdio: ["ignore", log, log] }));
  }

  /** The port of the coordinator that `up` runs. */
  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** Ends everything but the agents, removes what the coordinator can rebuild, and starts it again. */
  async restartWithoutProjection(): Promise<void> {
    this.signal("SIGTERM");
    await this.gone();
    const folder = join(this.data, "coordinator");
    const projection = join(folder, "projection.db");
    if (!existsSync(projection)) throw new Error(`${projection} is not there to be removed`);
    for (const suffix of ["", "-wal", "-shm"]) rmSync(projection + suffix, { force: true });
    await this.begin();
  }

  /** Ends everything, agents included, and leaves nothing behind. */
  async end(): Promise<void> {
    // A stopped process cannot end.
    this.signal("SIGCONT");
    this.thaw?.();
    for (const other of this.others) other.kill("SIGKILL");
    try {
      for (const data of [...this.elsewhere, this.data]) await run(flotilla(), ["down", "--data", data]);
      await this.gone();
    } finally {
      this.signal("SIGKILL");
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  /** The end of every log, for a journey that failed. */
  said(): string {
    const logs = ["coordinator", "runner", "nats"].map((part) => join(this.data, "logs", `${part}.log`));
    return [this.log, ...logs]
      .filter((path) => existsSync(path))
      .map((path) => `== ${path}\n${readFileSync(path, "utf8").split("\n").slice(-40).join("\n")}`)
      .join("\n");
  }

  private get log(): string {
    return join(this.folder, "up.log");
  }

  private async begin(): Promise<void> {
    rmSync(this.readyFile, { force: true });
    const log = openSync(this.log, "a");
    const { PATH = "/usr/bin:/bin" } = process.env;
    this.up = spawn(
      flotilla(),
      [
        ["up", "--listen", "127.0.0.1:0", "--data", this.data, "--ready-file", this.readyFile],
        ["--config", this.configuration, "--project", this.project],
      ].flat(),
      // Nothing of the person who runs this: no login, no key, no settings.
      { env: { PATH, HOME: this.folder, FLOTILLA_NATS_SERVER: natsServer() }, stdio: ["ignore", log, log] },
    );
    await until("`flotilla up` to be ready", UP_MS, () => {
      if (this.up?.exitCode !== null) throw new Error(`\`flotilla up\` ended: ${this.said()}`);
      return existsSync(this.readyFile) ? true : null;
    });
  }

  private ready(): Ready {
    // Written by this build's own `up`, by a rename.
    return JSON.parse(readFileSync(this.readyFile, "utf8")) as Ready;
  }

  private async gone(): Promise<void> {
    const { up } = this;
    await until("`flotilla up` to end", UP_MS, () =>
      !up || up.exitCode !== null || up.signalCode !== null ? true : null,
    );
  }

  private signal(signal: NodeJS.Signals): void {
    // False when it is gone already, which is as well.
    this.up?.kill(signal);
  }
}

/** A coordinator beside the one of the installation. */
export interface Coordinator {
  readonly port: number;
  readonly kill: () => void;
}

/** The settings of one coordinator for another, that listens and keeps its projection elsewhere. */
function settingsElsewhere(theirs: string, listen: string, data: string): string {
  const changed = theirs
    .replace(/^listen = .*$/m, `listen = ${JSON.stringify(listen)}`)
    .replace(/^data = .*$/m, `data = ${JSON.stringify(data)}`);
  if (!changed.includes(listen) || !changed.includes(data)) throw new Error(`not understood: ${theirs}`);
  return changed;
}

/** The process of the rehearsal agent whose working folder this is. */
function rehearsalIn(worktree: string): number | null {
  const isIt = (pid: string): boolean => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return words[1] === "rehearse" && readlinkSync(`/proc/${pid}/cwd`) === worktree;
    } catch {
      // It ended while it was looked at, or is somebody else's.
      return false;
    }
  };
  const found = readdirSync("/proc").find((name) => /^\d+$/.test(name) && isIt(name));
  return found ? Number(found) : null;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Small, and readable at a glance: what is changed here stands in pictures. */
const files: Readonly<Record<string, string>> = {
  "README.md": "# Shop\n\nOpen daily from nine to five.\n",
  "src/till.py": "def total(prices):\n    return sum(prices)\n\n\nprint(total([2, 3]))\n",
};

function makeProject(folder: string): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"];
  const env = { PATH: process.env["PATH"], HOME: folder, GIT_CONFIG_NOSYSTEM: "1" };
  const git = (...args: string[]): void => void execFileSync("git", args, { cwd: folder, env });
  git("init", "--quiet", "--initial-branch=main");
  git("add", ".");
  git(...author, "commit", "--quiet", "--message", "Open the shop");
}
