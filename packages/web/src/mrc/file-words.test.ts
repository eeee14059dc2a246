import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileRecord, Statistics } from '@cryolift/protocol/messages';
import { sayWhat, sayWhether } from './file-words.ts';

const MRC = { nx: 64, ny: 64, nz: 1, mode: 2, kind: 'image', voxel_size: [2, 2, 0] };
const SIDECAR = { file_id: 'm', describes: 'series', sections: 41, warnings: [], series: { file_id: 's' } };

function record(fields: object): FileRecord {
  return { file_id: 'a', filename: 'a.mrc', mrc: MRC, warnings: [], metadata: {}, ...fields } as unknown as FileRecord;
}

const found = (fields: object = {}) => ({ hot: 0, ...fields }) as Statistics;

test('words: what a file is', () => {
  for (const [fields, text] of [
    [{}, 'An image of 64 × 64 pixels, 2 Å each.'],
    [{ filename: 'K3_Gain.mrc' }, 'A gain reference, by its name: an image of 64 × 64 pixels, 2 Å each.'],
    [{ mrc: { ...MRC, voxel_size: null } }, 'An image of 64 × 64 pixels; their size in Å is not known.'],
    [
      { mrc: { ...MRC, kind: 'stack', nz: 9 } },
      'A stack of 9 small images, such as particles, of 64 × 64 pixels, 2 Å each.',
    ],
    [
      { mrc: { ...MRC, nx: 4096, ny: 4096 } },
      'A micrograph, or a frame of a movie, of 4,096 × 4,096 pixels, 2 Å each.',
    ],
    [
      { mrc: { ...MRC, nx: 4096, ny: 4096, voxel_size: [200, 200, 0] } },
      'An image of 4,096 × 4,096 pixels, 200 Å each.',
    ],
    [
      { mrc: { ...MRC, kind: 'stack', nx: 4096, ny: 4096, nz: 41 } },
      'A movie, or images taken one after the other: 41 of 4,096 × 4,096 pixels, 2 Å each.',
    ],
    [
      { filename: 'a.st', mrc: { ...MRC, kind: 'stack', nx: 4096, ny: 4096, nz: 41 } },
      'A tilt series: 41 images of 4,096 × 4,096 pixels, 2 Å each.',
    ],
    [
      { filename: 'a.rec', mrc: { ...MRC, kind: 'volume', nz: 9 } },
      'A tomogram, by its name: a volume of 64 × 64 × 9 voxels, 2 Å each.',
    ],
    [{ mrc: { ...MRC, kind: 'volume', nz: 9 } }, 'A volume of 64 × 64 × 9 voxels, 2 Å each.'],
    [{ mrc: { ...MRC, mode: 4 } }, 'A Fourier transform of 64 × 64 complex numbers, 2 Å each.'],
    [{ mrc: null }, 'Not an MRC file, or its header cannot be read.'],
    [{ mrc: null, file_id: 'm', mdoc: SIDECAR }, 'Session data of the microscope for a series of 41 images.'],
  ] as const) {
    assert.equal(sayWhat(record(fields)), text);
  }
});

test('words: whether a file is good', () => {
  const warning = { code: 'constant_data', message: 'All voxels have the same value, 0.' };
  const sidecar = { mrc: null, file_id: 'm', mdoc: SIDECAR };
  for (const [fields, statistics, tone, text] of [
    [{}, found(), 'good', /^No fault was found/],
    [{}, found({ hot: 1 }), 'good', /^Good, with 1 hot pixel,/],
    [{}, undefined, 'waiting', /are being read/],
    [{}, null, 'check', /cannot be read/],
    [{ warnings: [warning] }, found(), 'check', /^Check this file before you use it: 1 note below/],
    [{ mdoc: { ...SIDECAR, warnings: [warning] } }, found(), 'check', /1 note below/],
    [{ mrc: null }, undefined, 'good', /was not examined/],
    [sidecar, undefined, 'good', /its series is here/],
    [{ ...sidecar, mdoc: { ...SIDECAR, series: null } }, undefined, 'check', /series is not uploaded/],
    [
      { ...sidecar, mdoc: { ...SIDECAR, missing_frames: ['a.tif'] } },
      undefined,
      'check',
      /1 movie that it names is not/,
    ],
  ] as const) {
    const verdict = sayWhether(record(fields), statistics);
    assert.equal(verdict.tone, tone);
    assert.match(verdict.text, text);
  }
});
