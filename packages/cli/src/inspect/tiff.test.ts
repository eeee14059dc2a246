/** `cryolift inspect` of TIFF and EER files. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eerImage, greyImage, writeTiff } from '../../../mrc/src/tiff/test-tiff.ts';
import { parseLines, runAlone } from '../testing/test-process.ts';

interface Inspected {
  verdict: string;
  tiff: { format: string; frames: number; compression: { name: string } } | null;
  rejections: { code: string }[];
  warnings: { code: string; message: string }[];
  statistics: { min: number; max: number; sections: { mean: number[] } | null } | null;
  pictures: string[];
}

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-tiff-'));
});
after(() => rm(folder, { recursive: true }));

async function inspect(name: string, bytes: Uint8Array, ...flags: string[]): Promise<Inspected & { code: number }> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  const { code, stdout } = await runAlone(['inspect', '--json', path, ...flags]);
  return { ...(parseLines<Inspected>(stdout)[0] as Inspected), code: code as number };
}

function makeMovie(): Uint8Array {
  const how = { width: 1_200, height: 100, isLzw: true } as const;
  return writeTiff([0, 1, 2].map((frame) => greyImage(how, (x, y) => ((x * y) % 5) + frame)));
}

test('inspect: a TIFF movie has its structure, its statistics and pictures', async () => {
  const pictures = join(folder, 'pictures');
  const found = await inspect('movie.tif', makeMovie(), '--png', pictures);
  assert.deepEqual([found.code, found.verdict, found.warnings], [0, 'accepted', []]);
  assert.deepEqual([found.tiff?.format, found.tiff?.frames, found.tiff?.compression.name], ['tiff', 3, 'LZW']);
  assert.deepEqual([found.statistics?.min, found.statistics?.max], [0, 6]);
  assert.equal(found.pictures.length, 4);
  assert.equal((await readdir(pictures)).length, 4);
});

test('inspect: an EER movie has the electrons of each frame, and an empty frame is said', async () => {
  const electrons = Array.from({ length: 300 }, (_, at) => ({ x: (at * 91) % 256, y: (at * 7) % 256 }));
  const frames = [0, 1, 2, 3, 4, 5, 6, 7].map((frame) => {
    return eerImage({ width: 256, height: 256, compression: 65_001 }, frame === 6 ? [] : electrons);
  });
  const found = await inspect('a.eer', writeTiff(frames, { isBig: true }));
  assert.deepEqual([found.code, found.tiff?.format, found.tiff?.frames], [0, 'eer', 8]);
  assert.equal(found.statistics?.sections?.mean[6], 0);
  assert.match(found.warnings.find(({ code }) => code === 'odd_frames')?.message ?? '', /frame 7 of 8 is 0/);
});

test('inspect: a TIFF file that is cut off is rejected, also in words', async () => {
  const bytes = makeMovie();
  const found = await inspect('cut.tif', bytes.subarray(0, bytes.length - 20));
  assert.deepEqual([found.code, found.verdict, found.statistics], [1, 'rejected', null]);
  const { stdout } = await runAlone(['inspect', join(folder, 'cut.tif')]);
  assert.match(stdout, /rejected: A directory should be at byte/);
});

test('inspect: damaged data are a warning', async () => {
  const image = greyImage({ width: 64, height: 64, isLzw: true }, (x, y) => x * y);
  const [block] = image.blocks as [Uint8Array];
  const broken = block.map((byte, at) => (at > 9 ? byte ^ 0x5a : byte));
  const found = await inspect('bad.tif', writeTiff([{ ...image, blocks: [broken] }]));
  assert.deepEqual([found.code, found.warnings.map(({ code }) => code), found.statistics], [0, ['data_damaged'], null]);
});
