/** `cryolift inspect` of `.mdoc` files, and of a series with one beside it. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildHeader, type MdocSummary, type MrcSummary } from '@cryolift/mrc';
import { parseLines, runAlone } from '../testing/test-process.ts';

interface Result {
  readonly mrc: MrcSummary;
  readonly mdoc: (MdocSummary & { path: string }) | null;
  readonly pictures: string[];
  readonly warnings: { code: string }[];
}

const EDGE = 64;
const SECTIONS = [0, 1, 2].map(
  (at) => `[ZValue = ${at}]\nTiltAngle = ${at * 3 - 3}\nExposureDose = 2\nPriorRecordDose = ${at * 2}\n`,
);
const MDOC = `PixelSpacing = 2\nVoltage = 300\nImageFile = TS.mrc\nDataMode = 1\n\n[T = made by a test]\n\n${SECTIONS.join('\n')}`;

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cryolift-mdoc-'));
  const header = buildHeader({ nx: EDGE, ny: EDGE, nz: 3, mode: 0, cella: [128, 128, 3] });
  const voxels = Buffer.alloc(EDGE * EDGE * 3).map((_, at) => (at * 7) % 100);
  await writeFile(join(folder, 'TS.mrc'), Buffer.concat([header, voxels]));
  await writeFile(join(folder, 'TS.mrc.mdoc'), MDOC);
});

after(() => rm(folder, { recursive: true }));

async function inspect(...args: string[]): Promise<Result> {
  const { code, stdout, stderr } = await runAlone(['inspect', '--json', ...args]);
  assert.equal(code, 0, stderr);
  return parseLines<Result>(stdout)[0] as Result;
}

test('inspect: an .mdoc file, as text and as JSON, with the keys that are not known', async () => {
  const { mdoc } = await inspect(join(folder, 'TS.mrc.mdoc'));
  assert.deepEqual([mdoc?.sections, mdoc?.total_dose, mdoc?.tilts?.angles], [3, 6, [-3, 0, 3]]);
  assert.deepEqual(mdoc?.other, { DataMode: '1' });
  const { stdout } = await runAlone(['inspect', join(folder, 'TS.mrc.mdoc')]);
  assert.match(stdout, /^session data +3 images of a series$/m);
  assert.match(stdout, /^tilt angles +-3° to 3° in steps of 3°, 3 images$/m);
  assert.match(stdout, /^other keys +DataMode = 1$/m);
  assert.match(stdout, /^all sections +ExposureDose = 2$/m);
  assert.match(stdout, /^differ by section +PriorRecordDose$/m);
  assert.deepEqual(mdoc?.section_pairs, { ExposureDose: '2', PriorRecordDose: ['0', '2', '4'] });
});

test('inspect: a stack with an .mdoc file beside it is a tilt series, and its picture is the middle tilt', async () => {
  const pictures = join(folder, 'png');
  const { mrc, mdoc } = await inspect(join(folder, 'TS.mrc'), '--png', pictures);
  assert.deepEqual(
    [mrc.kind, mrc.kind_evidence.code, mdoc?.path],
    ['tilt_series', 'mdoc', join(folder, 'TS.mrc.mdoc')],
  );
  const names = await readdir(pictures);
  assert.ok(names.includes('TS.mrc.section-z.png'), names.join(' '));
  assert.ok(!names.some((name) => name.includes('average')), names.join(' '));
  const { mrc: given } = await inspect(join(folder, 'TS.mrc'), '--kind', 'stack', '--header');
  assert.equal(given.kind, 'stack');
});

test('inspect: an .mdoc file without sections gets a warning', async () => {
  await writeFile(join(folder, 'empty.mdoc'), 'PixelSpacing = 2\n');
  const { warnings } = await inspect(join(folder, 'empty.mdoc'));
  assert.deepEqual(
    warnings.map(({ code }) => code),
    ['no_sections'],
  );
});
