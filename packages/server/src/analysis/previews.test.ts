/** Pictures of files that take minutes to read, with a real store. */
import assert from 'node:assert/strict';
import { mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { buildHeader, type PreviewRequest } from '@cryolift/mrc';
import { makeFolder } from '../db/test-rows.ts';
import { DiskStorage } from '../storage/disk/disk-storage.ts';
import { countDescriptors, needsProc } from '../storage/disk/test-descriptors.ts';
import { Digester } from '../storage/disk/threads/digester.ts';
import { Writers } from '../storage/disk/threads/writers.ts';
import type { FilePlace } from '../storage/places.ts';
import { MrcAnalyzer } from './mrc-analyzer.ts';
import { Previews, type Viewer } from './previews.ts';

const [EDGE, NZ] = [16_384, 1024];
const SIZE = 1024 + EDGE * EDGE * NZ;

async function makeBench(t: TestContext) {
  const folder = await makeFolder(t);
  const storage = await DiskStorage.open(folder, new Writers(1, 1), new Digester(), () => {});
  t.after(() => storage.close());
  const analyzer = new MrcAnalyzer(storage.prefixes.digesting);
  t.after(() => analyzer.close());
  const previews = new Previews(storage, analyzer);
  return {
    previews,
    /** A published sparse file of 256 GiB. */
    async write(fileId: string): Promise<FilePlace> {
      const path = join(folder, 'files', fileId, 'a.mrc');
      await mkdir(join(folder, 'files', fileId), { recursive: true });
      await writeFile(path, buildHeader({ nx: EDGE, ny: EDGE, nz: NZ, mode: 0, dmin: 0, dmax: 9, dmean: 1 }));
      await truncate(path, SIZE);
      return { fileId, filename: 'a.mrc', sizeBytes: SIZE };
    },
    async waitUntilOpen(count: number): Promise<void> {
      for (let tries = 0; countDescriptors(join(folder, 'files')) !== count; tries++) {
        assert.ok(tries < 1000, `${countDescriptors(join(folder, 'files'))} files are open, not ${count}`);
        await setTimeout(20);
      }
    },
  };
}

const average = (sizePx = 64): PreviewRequest => ({
  kind: 'average',
  axis: 'z',
  slice: null,
  sizePx,
  contrast: 'sigma',
});
const section = (slice: number): PreviewRequest => ({
  kind: 'section',
  axis: 'z',
  slice,
  sizePx: 64,
  contrast: 'sigma',
});
const acrossX = (slice: number): PreviewRequest => ({ ...section(slice), axis: 'x' });

function makeViewer(account: string, waitMs = 600_000): Viewer & { leave(): void } {
  const controller = new AbortController();
  return { account, waitMs, signal: controller.signal, leave: () => controller.abort(new Error('gone')) };
}

test('pictures: drawing stops without a waiting client', needsProc, async (t) => {
  const { previews, write, waitUntilOpen } = await makeBench(t);
  const file = await write('one');
  const [first, second] = [makeViewer('ada'), makeViewer('ada')];
  const [one, two] = [previews.ofFile(file, average(), first), previews.ofFile(file, average(), second)];
  const ended = Promise.all([assert.rejects(one, /gone/), assert.rejects(two, /gone/)]);
  await waitUntilOpen(1);
  first.leave();
  await setTimeout(100);
  await waitUntilOpen(1);
  second.leave();
  await waitUntilOpen(0);
  await ended;
});

test('pictures: many requests of one owner do not block another owner', needsProc, async (t) => {
  const { previews, write, waitUntilOpen } = await makeBench(t);
  const file = await write('one');
  const ada = makeViewer('ada');
  const asked = Array.from({ length: 40 }, (_, slice) => previews.ofFile(file, acrossX(slice), ada));
  const ends = Promise.allSettled(asked);
  await waitUntilOpen(1);
  const drawn = await previews.ofFile(file, section(7), makeViewer('bob'));
  assert.ok(typeof drawn === 'object' && drawn.kind === 'png');
  const own = previews.ofFile(file, section(8), makeViewer('ada'));
  assert.equal(await own, 'overloaded', 'what ada has asked for is bounded');
  ada.leave();
  const settled = await ends;
  assert.equal(settled.filter(({ status }) => status === 'rejected').length, 9);
  assert.ok(settled.every((each) => each.status === 'rejected' || each.value === 'overloaded'));
  await waitUntilOpen(0);
});

test('pictures: drawing continues for a client that was asked to repeat its request', needsProc, async (t) => {
  const { previews, write, waitUntilOpen } = await makeBench(t);
  const file = await write('one');
  assert.equal(await previews.ofFile(file, average(), makeViewer('ada', 50)), 'late');
  await waitUntilOpen(1);
  const again = makeViewer('ada');
  const drawn = assert.rejects(previews.ofFile(file, average(), again), /gone/);
  again.leave();
  await drawn;
  await waitUntilOpen(0);
});
