/**
 * TIFF files that tifffile writes, and EER files that it reads, compared with what it says of them. Its files and answers
 * are committed; where Python is, it is asked again. `UPDATE_ORACLE=1` writes them.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkTiff, decodeVoxels, layoutOf, MRC_HEADER_BYTES, openTiff, parseHeader } from '@cryolift/mrc';
import { randomNumbers, sourceOf } from '../../packages/mrc/src/samples/test-phantom.ts';
import { type EerFrame, eerImage, eerMetadata, writeTiff } from '../../packages/mrc/src/tiff/test-tiff.ts';
import { bringReaders } from './python.ts';

interface Answer {
  readonly name: string;
  /** The file, when tifffile has written it. */
  readonly base64?: string;
  readonly shape: readonly number[];
  readonly sum: number;
  /** Each value times its number, from 0, modulo 97. */
  readonly weighted: number;
}

const EXPECTED = fileURLToPath(new URL('../../packages/mrc/fixtures/tifffile.json', import.meta.url));
const EDGE = 2_048;

/** Compression 65000 is left out: see decision 122. */
const EER: Readonly<Record<string, Omit<EerFrame, 'width' | 'height'>>> = {
  'seven.eer': { compression: 65_001 },
  'given.eer': { compression: 65_002, bits: [9, 1, 1] },
};

function makeEer(how: Omit<EerFrame, 'width' | 'height'>): Uint8Array {
  const random = randomNumbers(9);
  const frames = [0, 1].map(() => {
    const places = new Set([0, EDGE * EDGE - 1]);
    while (places.size < 3_000) places.add(Math.floor(random() * EDGE * EDGE));
    const electrons = [...places].map((place) => ({ x: place % EDGE, y: Math.floor(place / EDGE) }));
    const grey = [
      [258, 8],
      [262, 1],
      [277, 1],
    ] as const;
    // tifffile takes pages with metadata for EER.
    const tags = [...grey.map(([tag, value]) => ({ tag, type: 3, values: [value] }) as const), eerMetadata({})];
    return eerImage({ width: EDGE, height: EDGE, ...how, tags }, electrons);
  });
  return writeTiff(frames, { isBig: true });
}

/** Null where there is no Python with tifffile. */
function askTifffile(): Answer[] | null {
  const environment = bringReaders();
  if ('missing' in environment) return null;
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-tifffile-'));
  for (const [name, how] of Object.entries(EER)) writeFileSync(join(folder, name), makeEer(how));
  const script = fileURLToPath(new URL('write_tiff.py', import.meta.url));
  const asked = spawnSync(join(environment.bin, 'python'), [script, folder], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  assert.equal(asked.status, 0, asked.stderr);
  return JSON.parse(asked.stdout) as Answer[];
}

const said = askTifffile();
if (process.env.UPDATE_ORACLE && said) writeFileSync(EXPECTED, `${JSON.stringify(said, null, 2)}\n`);
const committed = JSON.parse(readFileSync(EXPECTED, 'utf8')) as Answer[];

async function decode(bytes: Uint8Array): Promise<Omit<Answer, 'name'> | null> {
  const decoded = await openTiff(sourceOf(bytes), bytes.length);
  if (!decoded) return null;
  const file = new Uint8Array(decoded.sizeBytes);
  await decoded.source.read(0, file);
  const { nx, ny, nz, ...header } = parseHeader(file, file.length);
  const layout = layoutOf({ nx, ny, nz, ...header }, file.length, decoded.overrides);
  assert.ok(layout);
  const values = new Float32Array(nx * ny * nz);
  decodeVoxels(layout, file.subarray(MRC_HEADER_BYTES), values);
  const total = values.reduce((sum, value) => sum + value, 0);
  const weighted = values.reduce((sum, value, at) => sum + value * (at % 97), 0);
  return { shape: [nz, ny, nx], sum: total, weighted };
}

test('tifffile: it still says what is committed', { skip: said === null && 'tifffile is not installed' }, () => {
  assert.deepEqual(
    said?.map(({ base64: _, ...answer }) => answer),
    committed.map(({ base64: _, ...answer }) => answer),
  );
});

for (const { name, base64, ...expected } of committed) {
  test(`tifffile: ${name} has the same values`, async () => {
    const eer = EER[name];
    const bytes = eer ? makeEer(eer) : new Uint8Array(Buffer.from(base64 as string, 'base64'));
    const { verdict, rejections, warnings, tiff } = await checkTiff(sourceOf(bytes), bytes.length);
    assert.deepEqual([verdict, rejections, warnings], ['accepted', [], []]);
    const found = await decode(bytes);
    if (name.startsWith('zstd')) {
      assert.equal(tiff?.not_drawn, 'the compression Zstandard is not decoded; none and LZW are');
      assert.equal(found, null);
      return;
    }
    assert.deepEqual(found, expected);
  });
}

test('tifffile: each of its files is refused at every length but the whole', async () => {
  for (const { name, base64 } of committed) {
    if (!base64) continue;
    const bytes = new Uint8Array(Buffer.from(base64, 'base64'));
    for (let length = 0; length < bytes.length; length += 97) {
      const { verdict } = await checkTiff(sourceOf(bytes.subarray(0, length)), length);
      assert.equal(verdict, 'rejected', `${name}: ${length} of ${bytes.length} bytes`);
    }
  }
});
