/** `cryolift inspect` of files with incomplete headers and of compressed files. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { buildHeader, MRC_KINDS } from '@cryolift/mrc';
import { parseLines, runAlone } from '../testing/test-process.ts';

interface Inspected {
  verdict: string;
  mrc: {
    kind: string;
    kind_evidence: { code: string };
    expected_size: number;
    voxel_size: number[] | null;
    geometry: { size: number[]; axes: number[]; extent: number[] | null };
    row_order: { first: string; evidence: { code: string } };
    tilts: { min: number; max: number; middle_section: number } | null;
    symmetry: string[];
  } | null;
  header?: { word: number; name: string; value: string }[];
  signedness: { value: string; evidence: { code: string } } | null;
  statistics: { min: number; max: number; hot: number | null; sections: { mean: number[] } | null } | null;
  compressed: string | null;
  rejections: { code: string; message: string }[];
  warnings: { code: string }[];
  notes: { code: string }[];
  pictures: string[];
}

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-inspect-'));
});
after(() => rm(folder, { recursive: true }));

async function write(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

async function inspect(path: string, ...flags: string[]): Promise<Inspected & { code: number | null }> {
  const { code, stdout } = await runAlone(['inspect', '--json', path, ...flags]);
  return { ...(parseLines<Inspected>(stdout)[0] as Inspected), code };
}

/** A cube as RELION up to 5.0 writes volumes: ISPG 0, MZ as large as NZ. */
function makeVolume(edge = 24): Buffer {
  const size = [edge, edge, edge] as const;
  const cella = [2.7 * edge, 2.7 * edge, 2.7 * edge] as const;
  const header = buildHeader({
    nx: edge,
    ny: edge,
    nz: edge,
    mode: 2,
    m: size,
    cella,
    dmin: 0,
    dmax: 0,
    dmean: 0,
    rms: 0,
  });
  const voxels = new Float32Array(edge ** 3).map((_, at) => at % 13);
  return Buffer.concat([header, new Uint8Array(voxels.buffer)]);
}

/** Signed bytes around 0 in a stack; the header has neither the kind nor the sign. */
function makeBytes(): Buffer {
  const [nx, ny, nz] = [64, 64, 9];
  const unset = { dmin: 0, dmax: 0, dmean: 0, rms: 0, nversion: 0 };
  const header = buildHeader({ nx, ny, nz, mode: 0, cella: [nx * 2.7, ny * 2.7, 110.7], ...unset });
  return Buffer.concat([header, new Uint8Array(new Int8Array(nx * ny * nz).map((_, at) => (at % 41) - 20).buffer)]);
}

test('inspect: prints the kind and its evidence, and writes the pictures of that kind', async () => {
  const path = await write('volume.mrc', makeVolume());
  const found = await inspect(path, '--png', folder);
  assert.deepEqual([found.mrc?.kind, found.mrc?.kind_evidence.code], ['volume', 'dimensions']);
  assert.equal(found.pictures.length, 3);
  assert.deepEqual(found.warnings, []);
  const { stdout } = await runAlone(['inspect', path]);
  assert.match(stdout, /^kind +volume: the file is a cube of 24 voxels$/m);
  assert.match(stdout, /^voxel size +2\.7 Å\/px$/m);
});

test('inspect: --kind overrides the evidence, also for the pictures', async () => {
  const path = await write('given.mrc', makeVolume());
  const found = await inspect(path, '--kind', 'stack', '--png', folder);
  assert.deepEqual([found.mrc?.kind, found.mrc?.kind_evidence.code], ['stack', 'given']);
  assert.deepEqual(found.pictures, [join(folder, 'given.mrc.montage.png')]);
  for (const kind of MRC_KINDS) assert.equal((await inspect(path, '--header', '--kind', kind)).mrc?.kind, kind);
  assert.equal((await runAlone(['inspect', path, '--kind', 'film'])).code, 2);
});

/** Twelve frames of counted electrons, the seventh of which is empty; three pixels are hot. */
function makeMovie(nx = 1100, ny = 200, nz = 12): Buffer {
  const header = buildHeader({ nx, ny, nz, mode: 0, m: [nx, ny, 1], cella: [nx / 2, ny / 2, 1] });
  const counts = new Uint8Array(nx * ny * nz).map((_, at) => [0, 0, 1, 3][((at * 2_654_435_761) >>> 7) & 3] as number);
  counts.fill(0, 6 * nx * ny, 7 * nx * ny).fill(100, 5000, 5003);
  return Buffer.concat([header, counts]);
}

test('inspect: a movie has a dose, hot pixels and a warning of an empty frame, and its plots are written', async () => {
  const path = await write('movie.mrcs', makeMovie());
  const found = await inspect(path, '--png', folder, '--size', '300', '--range', 'full');
  assert.deepEqual(
    found.pictures,
    ['average', 'spectrum', 'profile', 'means'].map((kind) => join(folder, `movie.mrcs.${kind}.png`)),
  );
  const sizes = await Promise.all(found.pictures.map(async (picture) => (await readFile(picture)).readUInt32BE(16)));
  assert.deepEqual(sizes, [275, 300, 300, 300]);
  assert.deepEqual(
    found.warnings.map(({ code }) => code),
    ['odd_frames'],
  );
  assert.equal(found.statistics?.sections?.mean.length, 12);
  assert.equal(found.statistics?.hot, 3);
  assert.deepEqual(found.notes.map(({ code }) => code).includes('hot_pixels'), true);
  const { stdout } = await runAlone(['inspect', path]);
  assert.match(stdout, /^dose +1 electrons per pixel and frame, 4 electrons per Å²$/m);
  assert.match(stdout, /^warning: Some frames are unlike the others: frame 7 of 12 is 0\.$/m);
  assert.match(stdout, /^note: 3 of 2,640,000 pixels are hot/m);
});

test('inspect: --slab averages sections of a volume, and --lowpass filters pictures that have a voxel size', async () => {
  const size = { nx: 64, ny: 48, nz: 32, mode: 0, ispg: 1, m: [64, 48, 32] } as const;
  const voxels = Buffer.alloc(64 * 48 * 32).map((_, at) => (at * 7919) % 101);
  const path = join(folder, 'slab.mrc');
  await writeFile(path, Buffer.concat([buildHeader({ ...size, cella: [256, 192, 128] }), voxels]));
  const pictures = async (...options: string[]) => {
    const { pictures: written } = await inspect(path, '--png', folder, ...options);
    return await Promise.all(written.map(async (each) => (await readFile(each)).toString('latin1')));
  };
  const plain = await pictures();
  const slab = await pictures('--slab', '5');
  const filtered = await pictures('--slab', '5', '--lowpass', '20');
  assert.equal(plain.length, 3);
  for (const [at, section] of slab.entries()) {
    assert.notEqual(section, plain[at]);
    assert.match(section, /mean of 5 sections around it/);
    assert.match(filtered[at] as string, /mean of 5 sections around it, low-pass 20 \xc5/);
  }
  const unknown = join(folder, 'unknown.mrc');
  await writeFile(unknown, Buffer.concat([buildHeader({ ...size, cella: [0, 0, 0] }), voxels]));
  const { code, stderr } = await runAlone(['inspect', unknown, '--png', folder, '--lowpass', '20']);
  assert.equal(code, 2);
  assert.match(stderr, /--lowpass: A low-pass needs the size of a voxel in Å; the header has none\./);
});

test('inspect: options of pictures are refused without --png, and when they are unknown', async () => {
  const path = await write('some.mrc', makeVolume());
  for (const flags of [
    ['--size', '300'],
    ['--contrast', 'cell'],
    ['--range', 'full'],
    ['--slab', '5'],
    ['--lowpass', '20'],
    ['--png', folder, '--slab', '0'],
    ['--png', folder, '--lowpass', 'x'],
    ['--png', folder, '--size', '10'],
    ['--png', folder, '--size', '5000'],
    ['--png', folder, '--contrast', 'much'],
    ['--png', folder, '--range', 'half'],
  ]) {
    assert.equal((await runAlone(['inspect', path, ...flags])).code, 2, flags.join(' '));
  }
});

test('inspect: --png reads a stack once, and little more than half of it again', {
  skip: process.platform !== 'linux',
}, async () => {
  const bytes = makeMovie(1100, 200, 30);
  const path = await write('counted.mrcs', bytes);
  const survey = new URL('../files/voxels.ts', import.meta.url).href;
  const script = `
    import { readFileSync } from 'node:fs';
    const { surveyVoxels } = await import(${JSON.stringify(survey)});
    const { describeMrc, parseHeader } = await import(${JSON.stringify(import.meta.resolve('@cryolift/mrc'))});
    const header = parseHeader(readFileSync(${JSON.stringify(path)}).subarray(0, 1024), ${bytes.length});
    const description = await describeMrc({}, header, { sizeBytes: ${bytes.length}, filename: 'counted.mrcs' });
    const read = () => Number(/rchar: (\\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))[1]);
    const before = read();
    const choice = { folder: ${JSON.stringify(folder)} };
    const { signal } = new AbortController();
    const { pictures } = await surveyVoxels(${JSON.stringify(path)}, choice, {}, description, signal);
    console.log(JSON.stringify({ bytes: read() - before, pictures: pictures.length }));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.notEqual(stdout, '', stderr);
  const counted = JSON.parse(stdout) as { bytes: number; pictures: number };
  assert.equal(counted.pictures, 4);
  const times = counted.bytes / bytes.length;
  assert.ok(times >= 1 && times < 1.7, `${times.toFixed(2)} times the file was read`);
});

test('inspect: images have no pixel size along z; --mode0 decides how bytes are read', async () => {
  const path = await write('bytes.mrc', makeBytes());
  const { stdout } = await runAlone(['inspect', path]);
  assert.match(stdout, /^voxel size +2\.7 Å\/px$/m);
  assert.match(stdout, /^mode +0 \(signed: many are near 255 and near 0, few between; /m);
  assert.match((await runAlone(['inspect', path, '--kind', 'volume'])).stdout, /2\.7 × 2\.7 × 110\.7 Å\/px/);

  const signed = await inspect(path);
  assert.deepEqual([signed.statistics?.min, signed.statistics?.max], [-20, 20]);
  const unsigned = await inspect(path, '--mode0', 'unsigned');
  assert.deepEqual([unsigned.statistics?.min, unsigned.statistics?.max], [0, 255]);
  assert.deepEqual([unsigned.signedness?.value, unsigned.signedness?.evidence.code], ['unsigned', 'given']);
  const header = await inspect(path, '--header');
  assert.deepEqual([header.signedness?.value, header.signedness?.evidence.code], ['unsigned', 'default']);
});

test('inspect: prints the header inside a gzip or Zstandard file', async () => {
  for (const [name, bytes, compressed] of [
    ['volume.mrc.gz', gzipSync(makeVolume(64)), 'gzip'],
    ['volume.mrc.zst', zstdCompressSync(makeVolume(64)), 'Zstandard'],
  ] as const) {
    const path = await write(name, bytes);
    const found = await inspect(path);
    assert.deepEqual([found.code, found.verdict, found.compressed], [0, 'accepted', compressed]);
    assert.deepEqual([found.mrc?.kind, found.mrc?.expected_size], ['volume', 1024 + 4 * 64 ** 3]);
    assert.deepEqual([found.rejections, found.warnings, found.statistics], [[], [], null]);
    assert.match((await runAlone(['inspect', path])).stdout, /header of the content/);
    assert.equal((await runAlone(['inspect', path, '--png', folder])).code, 2);
  }
});

test('inspect: reads only the header of a compressed file', async () => {
  const bytes = gzipSync(makeVolume(64));
  bytes.fill(0xff, 100_000);
  assert.equal((await inspect(await write('damaged.mrc.gz', bytes))).mrc?.kind, 'volume');
});

test('inspect: a compressed file with the name of an MRC file is refused, and its header printed', async () => {
  const found = await inspect(await write('named.mrc', gzipSync(makeVolume(64))));
  assert.deepEqual([found.code, found.mrc?.kind], [1, 'volume']);
  assert.match(found.rejections[0]?.message ?? '', /Name it named\.mrc\.gz to upload it compressed/);
});

test('inspect: an unsupported compression prints the command that decompresses the file', async () => {
  const path = await write('volume.mrc.bz2', Buffer.concat([Buffer.from('BZh91AY&SY'), Buffer.alloc(5000)]));
  const found = await inspect(path);
  assert.deepEqual([found.code, found.mrc], [1, null]);
  const [{ code, message } = { code: '', message: '' }] = found.rejections;
  assert.equal(code, 'compressed');
  assert.match(message, /bzip2 -dc 'volume\.mrc\.bz2' > 'volume\.mrc'/);
  assert.doesNotMatch(message, /bz2\.bz2/);
  const cut = await inspect(await write('cut.mrc.gz', gzipSync(makeVolume()).subarray(0, 60)));
  assert.match(cut.rejections[0]?.message ?? '', /starts like gzip data, but cannot be decompressed/);
});

test('inspect: a compressed file whose content is not an MRC file is refused', async () => {
  const found = await inspect(await write('text.mrc.gz', gzipSync(Buffer.from('no map '.repeat(400)))));
  assert.deepEqual([found.code, found.rejections[0]?.code], [1, 'header_is_text']);
  const small = await inspect(await write('small.mrc.gz', gzipSync(Buffer.from('no map'))));
  assert.deepEqual([small.code, small.rejections[0]?.code], [1, 'file_too_small']);
});

/** A tilt series as SerialEM writes it, from -6° to 6°, with short integers for each section. */
function makeTiltSeries(): Buffer {
  const [nx, ny, nz] = [64, 64, 5];
  const extended = new Int16Array(nz).map((_, section) => 300 * (section - 2));
  const fields = { nsymbt: 2 * nz, exttyp: 'SERI', nint: 2, nreal: 1, cella: [128, 128, 1] } as const;
  const header = buildHeader({ nx, ny, nz, mode: 1, ...fields });
  const voxels = new Int16Array(nx * ny * nz).map((_, at) => Math.floor(at / (nx * ny)) * 100 + (at % 7));
  return Buffer.concat([header, new Uint8Array(extended.buffer), new Uint8Array(voxels.buffer)]);
}

test('inspect: a tilt series is called so, and shown by its middle tilt in a folder that --png makes', async () => {
  const path = await write('tilts.mrc', makeTiltSeries());
  const pictures = join(folder, 'made', 'here');
  const found = await inspect(path, '--png', pictures);
  assert.deepEqual([found.mrc?.kind, found.mrc?.kind_evidence.code], ['tilt_series', 'tilts']);
  assert.deepEqual(
    [found.mrc?.tilts?.min, found.mrc?.tilts?.max, found.mrc?.tilts?.middle_section, found.mrc?.voxel_size?.[0]],
    [-6, 6, 2, 2],
  );
  assert.deepEqual(found.pictures, [
    join(pictures, 'tilts.mrc.section-z.png'),
    join(pictures, 'tilts.mrc.spectrum.png'),
    join(pictures, 'tilts.mrc.profile.png'),
    join(pictures, 'tilts.mrc.means.png'),
  ]);
  const texts = await Promise.all(found.pictures.map(async (picture) => (await readFile(picture)).toString('latin1')));
  assert.match(texts[0] as string, /Section 2 of z/);
  assert.match(texts[1] as string, /power spectrum of section 2 \(from 0\)/);
  assert.match(texts[2] as string, /power spectrum of section 2 \(from 0\)/);
  const { stdout } = await runAlone(['inspect', path]);
  assert.match(stdout, /^tilt angles +-6° to 6° in steps of 3°, 5 images$/m);
  assert.match(stdout, /^extent +128 × 128 Å$/m);
});

test('inspect: permuted axes, symmetry and the rule of the row order are said', async () => {
  const path = fileURLToPath(new URL('../../../mrc/fixtures/EMD-3001.map', import.meta.url));
  const { mrc } = await inspect(path);
  assert.deepEqual(mrc?.geometry.size, [43, 25, 73]);
  assert.deepEqual(mrc?.symmetry, ['X,  Y,  Z', '-X,  Y+1/2,  -Z']);
  assert.deepEqual([mrc?.row_order.first, mrc?.row_order.evidence.code], ['bottom', 'standard']);
  const { stdout } = await runAlone(['inspect', path]);
  assert.match(stdout, /^axes +MAPC, MAPR, MAPS 3, 1, 2: columns Z, rows X, sections Y$/m);
  assert.match(stdout, /^extended header +untyped, 160 bytes, operators of the space group$/m);
  assert.match(stdout, /^note: The cell is not orthogonal: CELLB is 90°, 94\.326°, 90°/m);
});

test('inspect: --header prints the 56 words as they stand, also of a file that is rejected', async () => {
  const path = await write('words.mrc', makeTiltSeries().subarray(0, 2000));
  const { header = [], code } = await inspect(path, '--header');
  assert.equal(code, 1);
  assert.equal(header.length, 56);
  assert.deepEqual(
    header.filter(({ name }) => ['NZ', 'EXTTYP', 'NINT,NREAL'].includes(name)).map(({ word, value }) => [word, value]),
    [
      [3, '5'],
      [27, '"SERI"'],
      [33, '2, 1'],
    ],
  );
  const { stdout } = await runAlone(['inspect', '--header', path]);
  assert.match(stdout, /^word 54 +MACHST +44 44 00 00 +44 44 00 00$/m);
});

test('inspect: --diff names the words, labels and the first voxel that differ; 1 when some do', async () => {
  const a = await write('a.mrc', makeTiltSeries());
  const changed = makeTiltSeries();
  changed.writeFloatLE(130, 40);
  changed.write('made by a test', 224);
  const at = 1024 + 10 + 2 * (64 * 64 * 3 + 64 * 2 + 1);
  changed[at] = (changed[at] as number) ^ 1;
  const b = await write('b.mrc', changed);
  const { code, stdout } = await runAlone(['inspect', '--diff', a, b, '--json']);
  assert.equal(code, 1);
  const [{ header, data } = {}] = parseLines<{ header: object[]; data: object }>(stdout);
  assert.deepEqual(header, [
    { name: 'CELLA_X (word 11)', a: '128', b: '130' },
    { name: 'label 1', a: '""', b: '"made by a test"' },
  ]);
  assert.deepEqual(data, { result: 'different', voxel: [1, 2, 3] });
  const same = await runAlone(['inspect', '--diff', a, a]);
  assert.deepEqual([same.code, same.stdout], [0, 'the headers are the same\nthe voxels are the same\n']);
  const shorter = await write('short.mrc', makeVolume());
  assert.match((await runAlone(['inspect', '--diff', a, shorter])).stdout, /not compared: they differ in dimensions/);
  const tiny = await write('tiny.mrc', Buffer.alloc(10));
  const [refused, one, two] = await Promise.all(
    [
      ['--diff', a, tiny],
      ['--diff', a],
      [a, b],
    ].map((args) => runAlone(['inspect', ...args])),
  );
  assert.deepEqual([refused?.code, one?.code, two?.code], [1, 2, 2]);
});
