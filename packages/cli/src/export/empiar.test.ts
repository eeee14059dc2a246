import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { needsCoreutils, parseLines, TestBench } from '../testing/test-process.ts';
import { countUnread } from './export-empiar.ts';

/**
 * What `empiar_deposition.schema.json` 1-0-0 (https://github.com/emdb-empiar/empiar-depositor) says of the fields that
 * are written: types, bounds, patterns and which are required.
 */
const or = <Known extends string>(least: string, rest: Known) =>
  Type.String({ pattern: `^(\\('T(${least})', ''\\)|\\('OT', '${rest}'\\))$` });
const IMAGE_SET = Type.Object(
  {
    name: Type.String({ maxLength: 200 }),
    directory: Type.String({ pattern: '^[^\\0]+$', maxLength: 200 }),
    category: or('[1-9]|10', '[^\\0]+'),
    header_format: or('[1-9]', '[A-Z0-9 ]+'),
    data_format: or('[1-9]', '[A-Z0-9 ]+'),
    num_images_or_tilt_series: Type.Integer(),
    frames_per_image: Type.Integer(),
    voxel_type: or('[1-8]', '[A-Z0-9 ]+'),
    pixel_width: Type.Union([Type.Null(), Type.Number()]),
    pixel_height: Type.Union([Type.Null(), Type.Number()]),
    image_width: Type.Union([Type.Null(), Type.Integer()]),
    image_height: Type.Union([Type.Null(), Type.Integer()]),
    details: Type.Union([Type.Null(), Type.String()]),
  },
  { additionalProperties: false },
);
const NAME = Type.String({ pattern: "^\\('[^0-9!\"£$%^&*()]+', '[^0-9!\"£$%^&*()]+'\\)$" });
const AUTHOR = Type.Object({
  name: NAME,
  order_id: Type.Integer(),
  author_orcid: Type.Union([Type.Null(), Type.String({ pattern: '^([0-9]{4}-){3}[0-9]{3}([0-9]|X)$' })]),
});
const PERSON = Type.Object({
  first_name: Type.String({ maxLength: 60 }),
  last_name: Type.String({ maxLength: 60 }),
  organization: Type.String({ maxLength: 255 }),
  email: Type.String(),
  country: Type.String({ pattern: '^[A-Z]{2}$' }),
});
const DEPOSITION = Type.Object(
  {
    title: Type.String({ minLength: 10, maxLength: 255 }),
    release_date: Type.Enum(['RE', 'EP', 'HP', 'HO']),
    experiment_type: Type.Integer({ minimum: 1, maximum: 9 }),
    cross_references: Type.Array(Type.Object({ name: Type.String({ pattern: '^(EMD)-[0-9]{4,}$' }) })),
    authors: Type.Array(AUTHOR, { minItems: 1 }),
    corresponding_author: PERSON,
    principal_investigator: Type.Array(PERSON, { minItems: 1 }),
    imagesets: Type.Array(IMAGE_SET, { minItems: 1 }),
    citation: Type.Array(
      Type.Object({
        authors: Type.Array(AUTHOR, { minItems: 1 }),
        published: Type.Boolean(),
        j_or_nj_citation: Type.Boolean(),
        title: Type.String({ maxLength: 255 }),
      }),
      { minItems: 1 },
    ),
  },
  { additionalProperties: false },
);

let bench: TestBench;

before(async () => {
  bench = await TestBench.start({ CRYOLIFT_ACCEPT: 'mdoc,txt' });
  for (const folder of ['in/g1/movies', 'in/g2/movies', 'in/ts']) await mkdir(bench.path(folder), { recursive: true });
  const movie = (n: number) => {
    const header = buildHeader({ nx: 40, ny: 30, nz: 5, mode: 6, cella: [40 * 0.83, 30 * 0.83, 5], m: [40, 30, 5] });
    return Buffer.concat([header, Buffer.alloc(40 * 30 * 5 * 2, n)]);
  };
  const mdoc = 'PixelSpacing = 0.83\nVoltage = 300\n\n[FrameSet = 0]\nTiltAngle = 0\nNumSubFrames = 5\n';
  for (const [at, path] of ['g1/movies/a.mrc', 'g1/movies/b.mrc', 'g2/movies/c.mrc'].entries()) {
    await writeFile(bench.path(`in/${path}`), movie(at));
    await writeFile(bench.path(`in/${path}.mdoc`), mdoc);
  }
  const image = buildHeader({ nx: 64, ny: 64, nz: 1, mode: 2 });
  await writeFile(bench.path('in/ts/image.mrc'), Buffer.concat([image, Buffer.alloc(64 * 64 * 4)]));
  await writeFile(bench.path('in/gain ref.mrc'), Buffer.concat([image, Buffer.alloc(64 * 64 * 4, 1)]));
  await writeFile(bench.path('in/notes.txt'), 'grid 7\n');
  const fields = [
    '--field',
    'title=A title of the entry',
    '--field',
    'emdb=EMD-8000, EMD-12345',
    '--field',
    'release_date=HP',
  ];
  await bench.runDone('dataset', 'create', 'S1', ...fields);
  await bench.runDone('upload', '-r', '--no-root', '--dataset', 'S1', bench.path('in'));
  // It is whole when the `.mdoc` files are read.
  while ((await bench.run(['dataset', 'check', 'S1'])).code !== 0) await sleep(100);
});

after(() => bench.stop());

test('export: the skeleton has what headers and fields say, and names the rest', needsCoreutils, async () => {
  const folder = bench.path('out');
  const { code, stdout, stderr } = await bench.run(['export', 'empiar', 'S1', '-o', folder, '--json']);
  assert.equal(code, 0, stderr);
  const deposition = JSON.parse(await readFile(`${folder}/deposition.json`, 'utf8'));
  const [movies, images, ...more] = deposition.imagesets;
  assert.deepEqual(movies, {
    name: 'Movies, 40 × 30',
    directory: 'data',
    num_images_or_tilt_series: 3,
    category: "('T2', '')",
    header_format: "('T1', '')",
    data_format: "('T1', '')",
    frames_per_image: 5,
    voxel_type: "('T3', '')",
    pixel_width: 0.83,
    pixel_height: 0.83,
    image_width: 40,
    image_height: 30,
    details: null,
  });
  assert.deepEqual(
    [images.directory, images.category, images.voxel_type, more],
    ['data/ts', "('T1', '')", "('T7', '')", []],
  );
  assert.deepEqual(deposition.cross_references, [{ name: 'EMD-8000' }, { name: 'EMD-12345' }]);
  const toFill = (await readFile(`${folder}/to-fill-in.txt`, 'utf8')).split('\n').map((line) => line.split('\t')[0]);
  const people = ['authors', 'corresponding_author', 'principal_investigator', 'citation'];
  const pixels = ['imagesets[1].pixel_width', 'imagesets[1].pixel_height'];
  assert.deepEqual(toFill, ['experiment_type', ...people, ...pixels, '']);
  assert.equal(parseLines<{ to_fill_in: number }>(stdout).at(-1)?.to_fill_in, 7);
  // What is not filled in is refused, and nothing else.
  const wrong = Object.entries(DEPOSITION.properties).flatMap(([key, schema]) =>
    Value.Check(schema, deposition[key]) ? [] : [key],
  );
  assert.deepEqual(wrong, ['experiment_type', ...people]);
  const author = { name: "('Chang', 'YW')", order_id: 0, author_orcid: null };
  const person = { first_name: 'A', last_name: 'B', organization: 'C', email: 'a@example.org', country: 'DE' };
  const filled = {
    ...deposition,
    ...{ experiment_type: 3, authors: [author], corresponding_author: person, principal_investigator: [person] },
    citation: [{ authors: [author], published: false, j_or_nj_citation: true, title: 'T' }],
  };
  assert.deepEqual([...Value.Errors(DEPOSITION, filled)], []);
  // The files of the dataset, as they will lie at EMPIAR.
  cpSync(bench.path('in'), `${folder}/data`, { recursive: true });
  const checked = execFileSync('sha256sum', ['-c', '--strict', 'manifest-sha256.txt'], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(checked.match(/: OK$/gm)?.length, 9);
  assert.equal((await readFile(`${folder}/files.tsv`, 'utf8')).split('\n').length, 11);
});

test('export: `.mdoc` files that the server has not read yet are counted', async () => {
  const { stdout } = await bench.run(['ls', '-r', '--json']);
  const files = parseLines<FileRecord>(stdout).filter(({ filename }) => filename?.endsWith('.mdoc'));
  assert.equal(countUnread(files), 0);
  const [first, second, third] = files.map(({ mdoc: _, ...file }) => file);
  assert.ok(first && second && third);
  const tooLarge = { ...third, warnings: [{ code: 'mdoc_too_large', message: '' }] };
  assert.equal(countUnread([first, second, tooLarge]), 2);
});

test('export: a deposition that may have been filled in is not replaced', async () => {
  const folder = bench.path('twice');
  await mkdir(folder);
  await writeFile(`${folder}/deposition.json`, 'filled in');
  const { code, stderr } = await bench.run(['export', 'empiar', 'S1', '-o', folder]);
  assert.equal(code, 1);
  assert.match(stderr, /deposition\.json is there already/);
  assert.equal(await readFile(`${folder}/deposition.json`, 'utf8'), 'filled in');
});
