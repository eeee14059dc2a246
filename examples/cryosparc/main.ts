/**
 * Gives the files of a dataset stable paths for CryoSPARC: TARGET/DATASET/PATH, links to where the server has them. To be
 * run again while files arrive; it replaces and removes nothing.
 *
 *   node examples/cryosparc/main.ts DATASET TARGET [--hard]
 */
import { link, mkdir, readlink, stat, symlink } from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { pathOf } from '@cryolift/protocol/file-path';
import { Server } from '../library/server.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { hard: { type: 'boolean', default: false } },
});
const [name, target] = positionals;
if (name === undefined || target === undefined) {
  console.error('give the name of a dataset and a folder');
  process.exit(2);
}

const server = new Server();
const { dataset_id } = await server.dataset(name);
// A name may have slashes.
const root = resolve(target, name.replaceAll('/', '_'));
const counts = { new: 0, there: 0, failed: 0 };
for await (const file of server.files(dataset_id)) {
  const path = join(root, pathOf(file.filename, file.metadata));
  const why = path.startsWith(root + sep) ? await place(file.location, path) : 'its path leaves the folder';
  if (why === null) continue;
  counts.failed++;
  console.error(`${path}: ${why}`);
}
console.log(`${root}: ${counts.new} new links, ${counts.there} were there, ${counts.failed} failed`);
process.exitCode = counts.failed === 0 ? 0 : 1;

/** @returns why not. */
async function place(location: string | undefined, path: string): Promise<string | null> {
  if (!location?.startsWith('file:'))
    return 'the server does not say where it lies (scope files:locate), or has a bucket';
  const source = fileURLToPath(location);
  try {
    // A symbolic link to what is not here would be made without an error.
    const { ino, dev } = await stat(source);
    await mkdir(dirname(path), { recursive: true });
    const made = await (values.hard ? link(source, path) : symlink(source, path)).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw error;
      },
    );
    counts[made ? 'new' : 'there']++;
    if (made || (await readlink(path).catch(() => null)) === source) return null;
    const there = await stat(path);
    if (there.ino === ino && there.dev === dev) return null;
    counts.there--;
    return 'another file has this path';
  } catch (error) {
    return (error as Error).message;
  }
}
