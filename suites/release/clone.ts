/** A clone of this repository as it is now, in which a release of a version that does not exist is made. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const VERSION = '99.0.0';
const NAMED = ['-c', 'user.name=test', '-c', 'user.email=test@localhost'];

export class Clone {
  /** Of the repository, and of what is made of it. */
  readonly folder: string;
  readonly root: string;

  /** With what is not committed, too. */
  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'cryolift-releasing-'));
    this.root = join(this.folder, 'clone');
    const env = { GIT_DIR: join(this.root, '.git'), GIT_WORK_TREE: ROOT, GIT_CONFIG_GLOBAL: '/dev/null' };
    this.#run('git', ['init', '--quiet', '--initial-branch=main', this.root], {});
    this.#run('git', ['add', '--all'], env, ROOT);
    this.#run('git', [...NAMED, 'commit', '--quiet', '--message', 'as it is'], env, ROOT);
    this.git('checkout', '--quiet', '--force', 'main');
    this.git('config', 'user.email', 'ada@example.org');
  }

  git(...args: readonly string[]): string {
    return this.#run('git', args, {}).trim();
  }

  commit(message: string): void {
    this.git(...NAMED, 'commit', '--quiet', '--all', '--message', message);
  }

  /** The packages of this checkout: links to the same files where that can be done. */
  bringPackages(): void {
    const modules = join(ROOT, 'node_modules');
    if (spawnSync('cp', ['-al', modules, this.root]).status !== 0) this.#run('cp', ['-a', modules, this.root], {});
  }

  /** `npm run release`, or another script of that folder. */
  script(name: string, ...args: readonly string[]): SpawnSyncReturns<string> {
    const path = join(this.root, `scripts/release/${name}.mjs`);
    const PATH = join(this.root, 'node_modules/.bin') + delimiter + process.env.PATH;
    return spawnSync(process.execPath, [path, ...args], {
      cwd: this.root,
      env: { ...process.env, PATH },
      encoding: 'utf8',
    });
  }

  discard(): void {
    rmSync(this.folder, { recursive: true, maxRetries: 5 });
  }

  #run(command: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd?: string): string {
    const where = cwd ?? (args[0] === 'init' ? this.folder : this.root);
    const ended = spawnSync(command, args, { cwd: where, env: { ...process.env, ...env }, encoding: 'utf8' });
    if (ended.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${ended.stderr}`);
    return ended.stdout;
  }
}
