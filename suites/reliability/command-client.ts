/** The real command line, as an instrument PC runs it: a file, `cryolift upload`, again until it says that it is done. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileRecord } from '@cryolift/protocol/messages';
import { BIN } from '../../packages/cli/src/testing/program.ts';
import { PART_BYTES } from '../contract/upload.ts';
import type { Random } from '../faults/random.ts';
import type { Entry } from './ledger.ts';
import type { Steps } from './upload-steps.ts';

const FAILED = 1;
/** What it uploads, unless it is told otherwise. */
const SMALL: Sizes = {
  partSizeBytes: PART_BYTES,
  leastBytes: 8 * PART_BYTES + 77,
  mostBytes: 32 * PART_BYTES + 77,
  slowest: 512 * 1024,
  fastest: 2048 * 1024,
};
/** Each fault may end a run or two. */
const MAX_FAILURES = 20;

export interface Sizes {
  readonly partSizeBytes: number;
  readonly leastBytes: number;
  readonly mostBytes: number;
  /** Bandwidth, bytes per second: slow enough to meet a fault. */
  readonly slowest: number;
  readonly fastest: number;
}

export class CommandClient {
  readonly #steps: Steps;
  readonly #random: Random;
  readonly #owner: string;
  readonly #home: string;
  readonly #url: string;
  readonly #sizes: Sizes;
  #child: ChildProcess | null = null;
  #isEnding = false;
  #isStopped = false;

  /** @param url that the server keeps over its restarts. @param folder for the client's files. */
  constructor(steps: Steps, random: Random, owner: string, folder: string, url: string, sizes = SMALL) {
    this.#steps = steps;
    this.#random = random;
    this.#owner = owner;
    this.#home = join(folder, owner);
    this.#url = url;
    this.#sizes = sizes;
    mkdirSync(this.#home);
  }

  /** Uploads one file after the other until `end`. */
  async run(): Promise<void> {
    const { partSizeBytes, leastBytes, mostBytes } = this.#sizes;
    for (let nth = 0; nth === 0 || !this.#isEnding; nth++) {
      const entry = this.#steps.ledger.open({
        owner: this.#owner,
        filename: `${this.#owner}-${nth}.${this.#random.chance(0.3) ? 'mrc' : 'dat'}`,
        sizeBytes: this.#random.whole(leastBytes, mostBytes),
        partSizeBytes,
        declares: 'never',
        by: 'command',
      });
      await this.#upload(entry);
    }
  }

  /** The file under way is the last one. */
  end(): void {
    this.#isEnding = true;
  }

  kill9(): void {
    this.#child?.kill('SIGKILL');
  }

  /** Nothing more is run: there is no server that an upload could wait for. */
  stop(): void {
    this.#isStopped = true;
    this.end();
    this.kill9();
  }

  async #upload(entry: Entry): Promise<void> {
    const path = join(this.#home, entry.plan.filename);
    writeFileSync(path, entry.makeBytes());
    entry.completed = 'asked';
    for (let failures = 0; ; failures++) {
      const { slowest, fastest } = this.#sizes;
      // The last one is to come to its end.
      const limits = this.#isEnding ? [] : ['--bwlimit', String(this.#random.whole(slowest, fastest))];
      const { code, signal, stdout, stderr } = await this.#command([
        'upload',
        path,
        ...['--part-size', `${this.#sizes.partSizeBytes}`, '--parallel', '3', '--json'],
        ...limits,
      ]);
      entry.touched = true;
      if (this.#isStopped) return;
      const lines = stdout.map((line) => JSON.parse(line) as FileRecord & { event: string });
      const record = lines.find(({ event }) => event === 'done');
      // A command that has said so may be killed before it ends; another one would upload the file once more.
      if (code === 0 || record) {
        if (record?.sha256 !== entry.sha256) {
          this.#steps.ledger.noteFault(entry, `the command line says done, with SHA-256 ${record?.sha256}`);
        }
        if (record) this.#steps.ledger.noteCompleted(entry, record.file_id);
        rmSync(path);
        return;
      }
      // A fault of the storage may end it with a clear error, which running it again cures.
      const explained = code === FAILED && this.#steps.weather.commandsMayFail && stderr !== '';
      const again = signal === 'SIGKILL' || (explained && failures < MAX_FAILURES);
      if (!again) {
        this.#steps.ledger.noteFault(entry, `the command line ended with ${code ?? signal}: ${stderr}`);
        return;
      }
    }
  }

  async #command(args: readonly string[]) {
    const child = spawn(process.execPath, [BIN, ...args], {
      env: {
        PATH: process.env.PATH ?? '',
        HOME: this.#home,
        CRYOLIFT_SERVER: this.#url,
        CRYOLIFT_TOKEN: this.#steps.caller.token(this.#owner),
      },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child = child;
    const printed = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        printed[name] += text;
      });
    }
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
      child.once('close', (...ended) => resolve(ended)),
    );
    this.#child = null;
    const complete = printed.stdout.slice(0, printed.stdout.lastIndexOf('\n') + 1);
    return { code, signal, stdout: complete.split('\n').filter((line) => line !== ''), stderr: printed.stderr };
  }
}
