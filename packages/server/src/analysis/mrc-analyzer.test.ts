/** The analysis thread, with real files. */
import assert from 'node:assert/strict';
import { rename, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { buildHeader } from '@cryolift/mrc';
import { makeFolder } from '../db/test-rows.ts';
import { countDescriptors, needsProc } from '../storage/disk/test-descriptors.ts';
import { BytesGone } from '../storage/errors.ts';
import { MrcAnalyzer } from './mrc-analyzer.ts';
import { type AnalysisResult, THUMBNAIL_PX } from './result.ts';
import type { AnalysisTarget } from './target.ts';

const [NX, NY, NZ] = [256, 256, 24];
const SIZE = 1024 + 4 * NX * NY * NZ;
const never = new AbortController().signal;

const urlOf = (path: string) => pathToFileURL(path).href;

interface Bench {
  readonly analyzer: MrcAnalyzer;
  /** 1 while digests are computed. */
  readonly digesting: Int32Array;
  write(name: string): Promise<AnalysisTarget & { path: string }>;
}

async function makeBench(t: TestContext): Promise<Bench> {
  const folder = await makeFolder(t);
  const shared = new SharedArrayBuffer(4);
  const analyzer = new MrcAnalyzer(shared);
  t.after(() => analyzer.close());
  return {
    analyzer,
    digesting: new Int32Array(shared),
    async write(name) {
      const path = join(folder, name);
      const voxels = Float32Array.from({ length: NX * NY * NZ }, (_, at) => at % 1000);
      await writeFile(path, buildHeader({ nx: NX, ny: NY, nz: NZ, mode: 2, ispg: 1 }));
      await writeFile(path, new Uint8Array(voxels.buffer), { flag: 'a' });
      return { path, url: urlOf(path), sizeBytes: SIZE, filename: name };
    },
  };
}

function assertFound({ analyzed }: { analyzed: AnalysisResult | null }): void {
  assert.ok(analyzed);
  assert.deepEqual(
    [analyzed.statistics.count, analyzed.statistics.min, analyzed.statistics.max],
    [NX * NY * NZ, 0, 999],
  );
  assert.deepEqual(
    analyzed.previews.map(({ request: { kind, axis } }) => `${kind} ${axis}`),
    ['section z', 'section y', 'section x'],
  );
}

test('analysis: follows arriving bytes, and continues after the publish', async (t) => {
  const { analyzer, write } = await makeBench(t);
  const target = await write('a.mrc');
  for (const prefix of [100, 5_000, 3_000_001]) analyzer.follow('u', { ...target }, prefix);
  const path = `${target.path}.published`;
  const published = { ...target, path, url: urlOf(path) };
  await rename(target.path, published.path);
  assertFound(await analyzer.analyze('u', published, never));
});

test('analysis: a file is closed at the end', needsProc, async (t) => {
  const { analyzer, write } = await makeBench(t);
  const target = await write('a.mrc');
  analyzer.follow('u', target, SIZE / 2);
  assertFound(await analyzer.analyze('u', target, never));
  assert.equal(countDescriptors(target.path), 0);
});

test('analysis: works without following, and on several files at once', async (t) => {
  const { analyzer, write } = await makeBench(t);
  const names = ['a.mrc', 'b.mrc', 'c.mrc', 'd.mrc'];
  const all = await Promise.all(names.map(write));
  for (const [at, target] of all.entries()) analyzer.follow(names[at] as string, target, SIZE / 2);
  for (const found of await Promise.all(
    all.map((target, at) => analyzer.analyze(names[at] as string, target, never)),
  )) {
    assertFound(found);
  }
});

test('analysis: starts again when the metadata have changed', async (t) => {
  const { analyzer, write } = await makeBench(t);
  const target = await write('a.mrc');
  analyzer.follow('u', { ...target, overrides: { kind: 'stack' } }, SIZE / 2);
  assertFound(await analyzer.analyze('u', target, never));
  const { analyzed: given } = await analyzer.analyze('u', { ...target, overrides: { kind: 'stack' } }, never);
  assert.deepEqual(
    given?.previews.map(({ request: { kind } }) => kind),
    ['montage'],
  );
});

test('analysis: a movie has statistics of its frames, a warning of an empty one, and plots', async (t) => {
  const { analyzer, write } = await makeBench(t);
  const { path } = await write('movie.mrc');
  const [nx, ny, nz] = [1100, 100, 8];
  const counts = new Uint8Array(nx * ny * nz).map((_, at) => [0, 0, 1, 3][((at * 2_654_435_761) >>> 7) & 3] as number);
  counts.fill(0, 6 * nx * ny, 7 * nx * ny);
  counts.fill(100, 5000, 5003);
  const cella = [nx / 2, ny / 2, 1] as const;
  await writeFile(path, buildHeader({ nx, ny, nz, mode: 0, m: [nx, ny, 1], cella }));
  await writeFile(path, counts, { flag: 'a' });
  const target = { url: urlOf(path), sizeBytes: 1024 + counts.length, filename: 'movie.mrcs' };
  const { analyzed } = await analyzer.analyze('u', target, never);
  assert.ok(analyzed);
  const { sections, dose_per_frame: dose, hot, ice } = analyzed.statistics;
  assert.equal(sections?.mean.length, nz);
  assert.deepEqual([sections?.mean[6], sections?.sd[6], hot, ice], [0, 0, 3, null]);
  assert.ok(dose && Math.abs(dose.per_pixel - 1) < 0.01 && Math.abs((dose.per_square_angstrom ?? 0) - 4) < 0.04);
  assert.match(analyzed.findings.find(({ code }) => code === 'odd_frames')?.message ?? '', /: frame 7 of 8 is 0\./);
  assert.deepEqual(
    analyzed.previews.map(({ request: { kind } }) => kind),
    ['average', 'spectrum', 'means'],
  );
  const { thumbnail } = analyzed;
  assert.deepEqual([thumbnail?.request.kind, thumbnail?.request.sizePx], ['average', THUMBNAIL_PX]);
  const widthPx = new DataView(thumbnail?.png.buffer as ArrayBuffer).getUint32(16);
  assert.ok(widthPx > THUMBNAIL_PX / 2 && widthPx <= THUMBNAIL_PX, `${widthPx} pixels`);
});

test('analysis: digests have priority, and an analysis still ends while they are busy', async (t) => {
  const { analyzer, digesting, write } = await makeBench(t);
  Atomics.store(digesting, 0, 1);
  assertFound(await analyzer.analyze('u', await write('a.mrc'), never));
});

test('analysis: a forgotten file is closed, and its pending analysis is rejected', needsProc, async (t) => {
  const { analyzer, digesting, write } = await makeBench(t);
  const target = await write('a.mrc');
  Atomics.store(digesting, 0, 1);
  analyzer.follow('u', target, SIZE - 1);
  const found = analyzer.analyze('u', target, never);
  const refused = assert.rejects(found, { code: 'storage_unavailable' });
  await analyzer.forget('u');
  await refused;
  assert.equal(countDescriptors(target.path), 0);
  assertFound(await analyzer.analyze('u', target, never));
});

test('analysis: its signal ends it', async (t) => {
  const { analyzer, digesting, write } = await makeBench(t);
  Atomics.store(digesting, 0, 1);
  const stopping = new AbortController();
  const found = analyzer.analyze('u', await write('a.mrc'), stopping.signal);
  stopping.abort();
  await assert.rejects(found, { code: 'storage_unavailable' });
});

test('analysis: missing bytes are reported, and the thread continues', async (t) => {
  const { analyzer, write } = await makeBench(t);
  const gone = await write('gone.mrc');
  const short = await write('short.mrc');
  await rm(gone.path);
  await truncate(short.path, 5000);
  for (const target of [gone, short]) await assert.rejects(analyzer.analyze(target.path, target, never), BytesGone);
  const section = { kind: 'section', axis: 'z', slice: null, sizePx: 64, contrast: 'sigma' } as const;
  await assert.rejects(analyzer.render(gone, section, never), BytesGone);
  assertFound(await analyzer.analyze('u', await write('a.mrc'), never));
});

test('analysis: unreadable voxels give null, and a reason instead of a picture', async (t) => {
  const { analyzer, write } = await makeBench(t);
  const target = { ...(await write('a.mrc')), sizeBytes: 4096 };
  assert.equal((await analyzer.analyze('u', target, never)).analyzed, null);
  const section = { kind: 'section', axis: 'z', slice: null, sizePx: 64, contrast: 'sigma' } as const;
  assert.equal((await analyzer.render(target, section, never)).kind, 'refused');
});

test('analysis: close() rejects waiting callers', async (t) => {
  const { analyzer, digesting, write } = await makeBench(t);
  Atomics.store(digesting, 0, 1);
  const found = analyzer.analyze('u', await write('a.mrc'), never);
  const refused = assert.rejects(found);
  await analyzer.close();
  await refused;
});

test('analysis: a cancelled picture is drawn no further, and its file is closed', needsProc, async (t) => {
  const { analyzer, write } = await makeBench(t);
  const { path } = await write('huge.mrc');
  const [edge, nz] = [16_384, 1024];
  const sizeBytes = 1024 + edge * edge * nz;
  await writeFile(path, buildHeader({ nx: edge, ny: edge, nz, mode: 0, dmin: 0, dmax: 9, dmean: 1 }));
  // 256 GiB as a sparse file: reading it takes minutes.
  await truncate(path, sizeBytes);
  const controller = new AbortController();
  const request = { kind: 'average', axis: 'z', slice: null, sizePx: 64, contrast: 'sigma' } as const;
  const drawn = analyzer.render({ url: urlOf(path), sizeBytes, filename: 'huge.mrc' }, request, controller.signal);
  drawn.catch(() => {});
  while (countDescriptors(path) === 0) await setTimeout(20);
  controller.abort(new Error('enough'));
  await assert.rejects(drawn, /enough/);
  for (let tries = 0; countDescriptors(path) > 0; tries++) {
    assert.ok(tries < 1000, 'the thread goes on');
    await setTimeout(20);
  }
});
