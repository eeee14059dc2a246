/** The link and the two machines at its ends, for as long as one measurement takes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { MeasuredProcess } from '../process.ts';
import type { Path } from './paths.ts';

const PROGRAM = new URL('./link.py', import.meta.url).pathname;
/** Processes at the client's end are killed after this time. */
const LIMIT_MS = 15 * 60_000;
export const SERVER_ADDRESS = '10.99.0.1';

/** Packets that came to the link in one direction. */
export interface Traffic {
  readonly sent: number;
  /** Of IP packets. */
  readonly sent_bytes: number;
  readonly lost: number;
  readonly overflowed: number;
  readonly longest_wait_ms: number;
}

export interface Statistics {
  readonly up: Traffic;
  readonly down: Traffic;
}

let count = 0;

export class Link {
  readonly #process: ChildProcess;
  readonly #output: Promise<string>;
  readonly #name: string;

  private constructor(name: string, path: Path, seed: number) {
    const figures = {
      delay: path.delayMs,
      loss: path.lossPercent,
      rate: path.rateMbit,
      buffer: path.bufferSeconds,
      seed,
    };
    const options = Object.entries(figures).flatMap(([key, value]) => [`--${key}`, String(value)]);
    this.#name = name;
    // It notices when we end, and takes what runs at its ends with it.
    this.#process = spawn('python3', [PROGRAM, name, ...options], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#output = text(this.#process.stdout!);
  }

  /** @param seed of which packets are lost. @throws when this machine has no such links; the program has said why. */
  static async open(path: Path, seed: number): Promise<Link> {
    const link = new Link(`cryolift-${process.pid}-${++count}`, path, seed);
    const ended = link.#output.then((output) => output.includes('ready'));
    const ready = once(link.#process.stdout!, 'data').then(() => true);
    if (!(await Promise.race([ready, ended]))) throw new Error('there is no link');
    return link;
  }

  /** A program of Node's at the server's end. */
  serve(args: readonly string[], env: Record<string, string> = {}): MeasuredProcess {
    return new MeasuredProcess('ip', this.#at('server', args), env);
  }

  /** A program of Node's at the client's end that prints JSON when it ends. */
  run<Result>(args: readonly string[], env: Record<string, string> = {}): Running<Result> {
    return new Running(this.#at('client', args), env);
  }

  /** Ends what still runs at its ends. */
  async close(): Promise<Statistics> {
    this.#process.kill('SIGTERM');
    const lines = (await this.#output).trim().split('\n');
    return JSON.parse(lines.at(-1) ?? '') as Statistics;
  }

  #at(side: 'server' | 'client', args: readonly string[]): string[] {
    return ['netns', 'exec', `${this.#name}-${side}`, process.execPath, ...args];
  }
}

class Running<Result> {
  readonly #child: ChildProcess;
  /** @throws unless the program ends well. */
  readonly result: Promise<Result>;

  constructor(args: readonly string[], env: Record<string, string>) {
    this.#child = spawn('ip', args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { PATH: process.env.PATH, ...env },
      timeout: LIMIT_MS,
    });
    this.result = this.#read(once(this.#child, 'exit'));
  }

  /** Asks it to end. */
  stop(): void {
    this.#child.kill('SIGTERM');
  }

  async #read(exited: Promise<unknown[]>): Promise<Result> {
    const output = await text(this.#child.stdout!);
    const [code] = await exited;
    if (code !== 0) throw new Error(`${this.#child.spawnargs.join(' ')} ended with ${code}`);
    return JSON.parse(output) as Result;
  }
}
