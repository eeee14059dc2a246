/** The programs for Windows in the folder with Wine: Cryolift, and Node, which holds files for it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, copyFileSync, existsSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { buildProgram, findNode } from './build.ts';
import { endOf, type Machine, type Running } from './machine.ts';
import { insideWine } from './wine.ts';

const HOLDER = fileURLToPath(new URL('hold-file.mjs', import.meta.url));

/** What others may do with a held file: nothing, or read and write it, but not rename or delete it. */
export type Sharing = 'nothing' | 'reads-and-writes';

export class WineMachine implements Machine {
  readonly root: string;
  readonly folder: string;
  /** What Windows programs call `folder`. */
  readonly inside: string;
  #runs = 0;

  /** @param root the folder with Wine. */
  constructor(root: string) {
    this.root = root;
    this.folder = mkdtempSync(join(root, 'root/work/'));
    this.inside = `Z:\\root\\work\\${basename(this.folder)}`;
  }

  /** Makes the programs. */
  async build(): Promise<void> {
    buildProgram('win-x64', join(this.folder, 'dist'));
    copyFileSync(await findNode('win-x64'), join(this.folder, 'node.exe'));
    copyFileSync(HOLDER, join(this.folder, 'hold-file.mjs'));
  }

  path(name: string): string {
    return `${this.inside}\\${name.replaceAll('/', '\\')}`;
  }

  begin(args: readonly string[], settings: Readonly<Record<string, string>>): Running {
    // Wine gives a program no pipe of this system that Node could write to.
    const outputs = ['stdout', 'stderr'].map((name) => join(this.folder, `${name}-${this.#runs}`)) as [string, string];
    this.#runs++;
    const child = this.#spawn(settings, outputs, 'dist/cryolift-win-x64.exe', ...args);
    const ended = endOf(child).then((code) => {
      const [stdout, stderr] = outputs.map((path) => readFileSync(path, 'utf8')) as [string, string];
      return { code, stdout, stderr };
    });
    return { child, ended };
  }

  /**
   * Another program opens files of `folder`.
   *
   * @returns when it has them open, a function that ends it.
   */
  async hold(sharing: Sharing, ...names: string[]): Promise<() => Promise<void>> {
    const ready = `held-${this.#runs++}`;
    const outputs = ['out', 'err'].map((name) => join(this.folder, `${ready}-${name}`)) as [string, string];
    const paths = [ready, ...names].map((name) => this.path(name));
    const child = this.#spawn({}, outputs, 'node.exe', this.path('hold-file.mjs'), sharing, ...paths);
    const ended = endOf(child);
    while (!existsSync(join(this.folder, ready))) {
      if (child.exitCode !== null) throw new Error(readFileSync(outputs[1], 'utf8'));
      await sleep(50);
    }
    return async () => {
      child.kill('SIGKILL');
      await ended;
    };
  }

  #spawn(
    settings: Readonly<Record<string, string>>,
    outputs: readonly [stdout: string, stderr: string],
    program: string,
    ...args: readonly string[]
  ): ChildProcess {
    const fds = outputs.map((path) => openSync(path, 'w')) as [number, number];
    const command = ['wine', this.path(program), ...args];
    const child = spawn('unshare', insideWine(this.root, settings, ...command), { stdio: ['ignore', ...fds] });
    for (const fd of fds) closeSync(fd);
    return child;
  }
}
