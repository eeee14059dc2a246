/** Runs of the real command line, which can be stopped, killed, and given a token that expires. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BIN } from '../../../packages/cli/src/testing/program.ts';
import type { Actor } from '../scene.ts';

/** Of what is printed, so much is kept. */
const KEPT_CHARACTERS = 20_000;
const TTL_SECONDS = 600;
/** Well before it expires. */
const RENEW_MS = 400_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class CommandLine {
  readonly home: string;
  readonly #actor: Actor;
  readonly #tokenFile: string;
  readonly #renewal: NodeJS.Timeout;
  #child: ChildProcess | null = null;

  constructor(actor: Actor) {
    this.#actor = actor;
    this.home = join(actor.scene.folder, actor.owner);
    mkdirSync(this.home);
    this.#tokenFile = join(this.home, 'token');
    this.renewToken();
    this.#renewal = setInterval(() => this.renewToken(), RENEW_MS).unref();
  }

  /** @param ttlSeconds a few: it expires while a command runs, which reads the file again when it is refused. */
  renewToken(ttlSeconds = TTL_SECONDS): void {
    writeFileSync(this.#tokenFile, this.#actor.scene.token(this.#actor.owner, ttlSeconds), { mode: 0o600 });
  }

  /** Runs it to its end, through the bad proxy. */
  async run(args: readonly string[]): Promise<Ended> {
    const { PATH = '', NODE_COMPILE_CACHE = '' } = process.env;
    const child = spawn(process.execPath, [BIN, ...args, '--token', `@${this.#tokenFile}`, '--json'], {
      env: { PATH, NODE_COMPILE_CACHE, HOME: this.home, CRYOLIFT_SERVER: this.#actor.scene.badUrl },
      cwd: this.home,
      // It ends with this process, however that ends.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    const printed = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        printed[name] = (printed[name] + text).slice(-KEPT_CHARACTERS);
      });
    }
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once('close', (...ended) => resolve(ended)),
    );
    this.#child = null;
    return { code, signal, ...printed };
  }

  /** A fault of the client, at some time. @returns what was done. */
  async trouble(): Promise<string> {
    const { random, scene } = this.#actor;
    await sleep(random.whole(200, 4000));
    const child = this.#child;
    if (!child) return 'nothing: it had ended';
    if (random.chance(0.4)) {
      scene.disturbances.strike();
      child.kill('SIGKILL');
      return 'killed';
    }
    return await scene.disturbances.during(async () => {
      child.kill('SIGSTOP');
      const ms = random.whole(1000, 45_000) * scene.pace;
      await sleep(ms, undefined, { signal: scene.over }).catch(() => {});
      child.kill('SIGCONT');
      return `stopped for ${Math.round(ms)} ms`;
    });
  }

  /** Nothing more is run. */
  end(signal: NodeJS.Signals): void {
    clearInterval(this.#renewal);
    this.#child?.kill(signal);
  }
}
