import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkMrc } from '../check/check.ts';
import { completeSummary } from '../check/summary.ts';
import { parseHeader } from '../header/header.ts';
import { IMOD_STAMP } from '../header/layout.ts';
import { voxelSize } from '../header/meaning.ts';
import { buildHeader, type HeaderFields } from '../header/writer.ts';
import { combine } from './description.ts';
import { parseExtendedHeader } from './extended-header.ts';
import { type FeiRecord, feiRecords } from './test-extended.ts';

function describe(records: readonly FeiRecord[], more: Partial<HeaderFields> = {}, filename = 'a.mrc') {
  const extended = feiRecords(records);
  const size = { nx: 100, ny: 100, nz: records.length, mode: 1, m: [100, 100, 1], cella: [150, 150, 0] } as const;
  const bytes = buildHeader({ ...size, exttyp: 'FEI1', nsymbt: extended.length, ...more });
  const header = parseHeader(bytes);
  const check = checkMrc({ header: bytes, sizeBytes: 1024 + extended.length + 20_000 * records.length, filename });
  assert.ok(check.verdict === 'accepted' && check.mrc, JSON.stringify(check));
  const description = combine(header, parseExtendedHeader(header, extended), filename);
  return { ...description, summary: completeSummary(check.mrc, description) };
}

const codes = ({ findings }: ReturnType<typeof describe>) => findings.map(({ code }) => code);

test('pixel size: that of the extended header when CELLA has none or differs by more than 1 %, with a warning', () => {
  const missing = describe([{ tilt: 0 }], { cella: [0, 0, 0] });
  assert.deepEqual([voxelSize(missing.header), codes(missing)], [[1.5, 1.5, 0], ['pixel_size_extended']]);
  assert.deepEqual(missing.summary.geometry.cell, [0, 0, 0]);
  assert.deepEqual(missing.summary.geometry.extent, [150, 150, 0]);
  const other = describe([{ tilt: 0, pixel: 1.52 }]);
  assert.deepEqual([other.summary.voxel_size, codes(other)], [[1.52, 1.52, 0], ['pixel_size_differs']]);
  const near = describe([{ tilt: 0, pixel: 1.51 }]);
  assert.deepEqual([near.summary.voxel_size, codes(near)], [[1.5, 1.5, 0], []]);
  const withoutIntervals = describe([{ tilt: 0 }], { m: [0, 0, 0] });
  assert.deepEqual(withoutIntervals.summary.voxel_size, [1.5, 1.5, 0]);
});

test('pixel size: CELLA counts when IMOD has written the file, and in volumes', () => {
  const binned = describe([{ tilt: 0, pixel: 0.75 }], { imodStamp: IMOD_STAMP });
  assert.deepEqual([binned.summary.voxel_size, codes(binned)], [[1.5, 1.5, 0], ['pixel_size_differs']]);
  const tilts = [{ tilt: 0, pixel: 0.75 }, { tilt: 9 }, { tilt: 18 }];
  const volume = describe(tilts, {}, 'a.rec');
  assert.deepEqual([volume.summary.voxel_size, codes(volume), volume.kind.kind], [[1.5, 1.5, 0], [], 'volume']);
});

test('tilt series: by angles that differ, of a stack', () => {
  const series = describe([-3, 0.02, 3].map((tilt) => ({ tilt })));
  assert.deepEqual([series.summary.kind, series.summary.kind_evidence.code], ['tilt_series', 'tilts']);
  assert.deepEqual(series.summary.tilts, {
    source: 'extended_header',
    min: -3,
    max: 3,
    step: 3,
    middle_section: 1,
    angles: [-3, 0.02, 3],
  });
  for (const tilts of [
    [0.01, 0.02, 0.01],
    [10, 10, 10],
    [0, 3],
  ]) {
    const movie = describe(tilts.map((tilt) => ({ tilt })));
    assert.deepEqual([movie.summary.kind, movie.summary.tilts], ['stack', undefined], tilts.join());
  }
});
