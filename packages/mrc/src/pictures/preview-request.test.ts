import assert from 'node:assert/strict';
import { test } from 'node:test';
import { centralSection, defaultPreviews, type Previewed, sectionsAlong, spectrumSlice } from './preview-request.ts';

const base: Previewed = { kind: 'volume', nx: 1024, ny: 1000, nz: 200, mode: 2 };

const kinds = (file: Partial<Previewed>, filename = 'a.mrc') =>
  defaultPreviews({ ...base, ...file }, filename).map(({ kind, axis }) => (kind === 'section' ? axis : kind));

test('default previews: a volume with few sections is shown as an image, by its extent where that is known', () => {
  assert.deepEqual(kinds({}), ['z', 'y', 'x']);
  assert.deepEqual(kinds({ nz: 31 }), ['z', 'spectrum']);
  assert.deepEqual(kinds({ nz: 32 }), ['z', 'y', 'x']);
  const size = [1024, 1000, 31];
  assert.deepEqual(kinds({ nz: 31, geometry: { size, extent: [1024, 1000, 310] } }), ['z', 'y', 'x']);
  assert.deepEqual(kinds({ nz: 31, geometry: { size, extent: [1024, 1000, 0] } }), ['z', 'spectrum']);
});

test('default previews: a tilt series is shown by the image whose angle is nearest to 0', () => {
  const tilts = { middle_section: 7 };
  const requests = defaultPreviews({ ...base, kind: 'tilt_series', nz: 41, tilts });
  assert.deepEqual(
    requests.map(({ kind, slice }) => [kind, slice]),
    [
      ['section', 7],
      ['spectrum', 7],
      ['means', null],
    ],
  );
  assert.deepEqual(kinds({ kind: 'tilt_series', nz: 41 }), ['z', 'spectrum', 'means']);
  assert.equal(centralSection({ ...base, kind: 'tilt_series', tilts }, 'z'), 7);
  assert.equal(centralSection({ ...base, kind: 'tilt_series', tilts }, 'x'), 512);
  assert.equal(centralSection({ ...base, kind: 'stack', tilts }, 'z'), 100);
});

test('sections: are counted along the axes in space', () => {
  const geometry = { size: [5, 6, 40], extent: null, volumes: 4 };
  assert.deepEqual(
    (['x', 'y', 'z'] as const).map((axis) => sectionsAlong({ ...base, geometry }, axis)),
    [5, 6, 40],
  );
  assert.deepEqual(
    (['x', 'y', 'z'] as const).map((axis) => centralSection({ ...base, geometry }, axis)),
    [2, 3, 5],
  );
  assert.deepEqual(
    (['x', 'y', 'z'] as const).map((axis) => sectionsAlong(base, axis)),
    [1024, 1000, 200],
  );
});

test('spectra: of the middle tilt, of the central section of one volume, or of all frames', () => {
  const tilts = { middle_section: 7 };
  const geometry = { size: [1024, 1000, 40], extent: null, volumes: 4 };
  const slices = [
    [{ ...base, kind: 'tilt_series', tilts }, 'a.mrc', 7],
    [{ ...base, kind: 'tilt_series' }, 'a.mrc', 100],
    [{ ...base, kind: 'stack', tilts }, 'a.mrc', null],
    [{ ...base, kind: 'stack' }, 'a.st', 100],
    [{ ...base, kind: 'stack', nz: 1 }, 'a.mrc', 0],
    [{ ...base, kind: 'volume_stack', nz: 40, geometry }, 'a.mrc', 5],
    [base, 'a.mrc', 100],
  ] as const;
  for (const [file, filename, slice] of slices) assert.equal(spectrumSlice(file, filename), slice);
});
