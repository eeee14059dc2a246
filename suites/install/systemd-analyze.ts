/** The `systemd-analyze` of this machine; where there is none, of a package that is unpacked and not installed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canInstall } from '../program.ts';

/** Installing systemd would empty /tmp (systemd-tmpfiles), under the feet of everything that runs. */
const PACKAGES = ['systemd', 'libsystemd-shared'];

export class SystemdAnalyze {
  readonly #command: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #folder: string | null;

  private constructor(command: string, env: NodeJS.ProcessEnv, folder: string | null) {
    this.#command = command;
    this.#env = env;
    this.#folder = folder;
  }

  /** @returns why it cannot be had here. */
  static find(): SystemdAnalyze | string {
    if (process.platform !== 'linux') return 'systemd-analyze: not on Linux';
    const own = new SystemdAnalyze('systemd-analyze', process.env, null);
    return own.run('--version') === null ? unpack() : own;
  }

  /** @returns what it prints; null when it cannot be started. */
  run(...args: readonly string[]): { status: number; output: string } | null {
    const env = { ...this.#env, SYSTEMD_COLORS: '0', SYSTEMD_PAGER: '' };
    const { status, stdout, stderr } = spawnSync(this.#command, args, { env, encoding: 'utf8' });
    return status === null || status === 127 ? null : { status, output: stdout + stderr };
  }

  discard(): void {
    if (this.#folder) rmSync(this.#folder, { recursive: true });
  }

  /** Of the unpacked one. */
  static at(folder: string): SystemdAnalyze {
    const root = join(folder, 'root');
    const libraries = ['usr/lib', 'lib'].flatMap((lib) => {
      const triples = readdirSync(join(root, lib), { withFileTypes: true }).filter((entry) =>
        entry.name.includes('linux-gnu'),
      );
      return triples.flatMap(({ name }) => [join(root, lib, name), join(root, lib, name, 'systemd')]);
    });
    const env = { ...process.env, LD_LIBRARY_PATH: libraries.join(':') };
    return new SystemdAnalyze(join(root, 'usr/bin/systemd-analyze'), env, folder);
  }
}

/** Downloads it with what it needs and this machine lacks, and unpacks that into a folder of its own. */
function unpack(): SystemdAnalyze | string {
  if (!canInstall()) return 'systemd-analyze: not here, and no apt-get that may bring it';
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-systemd-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const archives = join(folder, 'archives');
  mkdirSync(join(archives, 'partial'), { recursive: true });
  const apt = (...args: string[]) =>
    spawnSync('apt-get', ['-o', `Dir::Cache::archives=${archives}`, ...args], { stdio: 'ignore' }).status;
  apt('update');
  if (apt('install', '-y', '--no-install-recommends', '--download-only', ...PACKAGES) !== 0) {
    return 'systemd-analyze: not here, and apt-get does not bring it';
  }
  for (const name of readdirSync(archives).filter((each) => each.endsWith('.deb'))) {
    spawnSync('dpkg', ['-x', join(archives, name), join(folder, 'root')]);
  }
  return SystemdAnalyze.at(folder);
}
