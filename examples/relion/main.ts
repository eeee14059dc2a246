/**
 * Writes STAR files of what has arrived in a dataset, for the import of RELION: movies.star and micrographs.star.
 *
 *   node examples/relion/main.ts DATASET --files FOLDER [--output FOLDER] [--voltage KV] [--cs MM] [--q0 CONTRAST]
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { pathOf } from '@cryolift/protocol/file-path';
import { Server } from '../library/server.ts';
import { opticsOf, printStar, type Row } from './star.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    /** Where the files lie, from the folder of the RELION project. */
    files: { type: 'string', default: 'Movies' },
    output: { type: 'string', default: '.' },
    voltage: { type: 'string' },
    cs: { type: 'string' },
    q0: { type: 'string' },
  },
});
const [name] = positionals;
if (name === undefined) {
  console.error('give the name of a dataset');
  process.exit(2);
}

const server = new Server();
const { dataset_id, state } = await server.dataset(name);
const rows: Record<'movies' | 'micrographs', Row[]> = { movies: [], micrographs: [] };
for await (const file of server.files(dataset_id)) {
  const path = `${values.files}/${pathOf(file.filename, file.metadata)}`;
  const optics = opticsOf(file);
  if (optics === null) continue;
  const why =
    optics.pixelSize === null
      ? 'its pixel size is not known'
      : /\s/.test(path)
        ? 'RELION takes no blanks in a path'
        : null;
  if (why === null) rows[optics.isMovie ? 'movies' : 'micrographs'].push({ path, optics });
  else console.error(`left out: ${path}: ${why}`);
}
await mkdir(values.output, { recursive: true });
const given = { voltage: values.voltage, cs: values.cs, q0: values.q0 };
for (const [kind, some] of Object.entries(rows)) {
  if (some.length === 0) continue;
  const { text, unknown } = printStar(kind as keyof typeof rows, some, given);
  await writeFile(join(values.output, `${kind}.star`), text);
  console.log(`${kind}.star: ${some.length} ${kind}`);
  if (unknown.length > 0) console.error(`${kind}.star has no ${unknown.join(', ')}: no header says it`);
}
if (state === 'open') console.error(`${name} is open: files may still arrive`);
