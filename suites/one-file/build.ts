/** Makes a program as `npm run dist` does. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Platform {
  readonly name: string;
  /** Name of the executable. */
  readonly node: string;
}

const SCRIPTS = new URL('../../scripts/one-file/', import.meta.url);
const MAIN = fileURLToPath(new URL('main.mjs', SCRIPTS));

/** @returns the files, by name, that lie in `folder` afterwards for this platform. @throws with what it printed. */
export function buildProgram(platform: string, folder: string): { readonly name: string; readonly sha256: string } {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, '--only', platform, '--folder', folder], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`npm run dist -- --only ${platform}: ${stderr}`);
  const [, sha256 = '', name = ''] =
    /^([0-9a-f]{64}) {2}(\S+)\n$/.exec(readFileSync(join(folder, 'SHA256SUMS'), 'utf8')) ?? [];
  return { name, sha256 };
}

/** @returns the path of Node for this platform, as `buildProgram` uses it. */
export async function findNode(name: string): Promise<string> {
  const { PLATFORMS }: { PLATFORMS: Platform[] } = await import(new URL('platforms.mjs', SCRIPTS).href);
  const { fetchNode }: { fetchNode(platform?: Platform): string } = await import(
    new URL('node-binary.mjs', SCRIPTS).href
  );
  const platform = PLATFORMS.find((each) => each.name === name);
  return join(fetchNode(platform), 'bin', platform?.node ?? '');
}
