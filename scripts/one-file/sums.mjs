/** SHA256SUMS of a folder, as `sha256sum --check` reads it. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

export const SUMS = 'SHA256SUMS';

/** @returns the SHA-256 of a file, hexadecimal. */
export async function sha256Of(path) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** @returns digests by name; none where there is no list. */
function readSums(folder) {
  const path = join(folder, SUMS);
  if (!existsSync(path)) return {};
  const lines = readFileSync(path, 'utf8').split('\n').filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split('  ').reverse()));
}

/** Adds digests by name. Lines of files that are not there any more are left out. */
export function recordSums(folder, sums) {
  const there = Object.entries(readSums(folder)).filter(([name]) => existsSync(join(folder, name)));
  writeSums(folder, { ...Object.fromEntries(there), ...sums });
}

/** The list appears whole: a server may read it meanwhile. */
export function writeSums(folder, sums) {
  const lines = Object.keys(sums)
    .sort()
    .map((name) => `${sums[name]}  ${name}\n`);
  const draft = join(folder, `${SUMS}.draft`);
  writeFileSync(draft, lines.join(''));
  renameSync(draft, join(folder, SUMS));
}
