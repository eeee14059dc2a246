/** Makes a program as `npm run dist` does. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../scripts/one-file/main.mjs', import.meta.url));

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
