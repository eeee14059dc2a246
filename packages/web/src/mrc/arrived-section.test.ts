import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileRecord } from '@cryolift/protocol/messages';
import { arrivedSection } from './arrived-section.ts';

const MRC = {
  nx: 100,
  ny: 100,
  nz: 20,
  mode: 0,
  kind: 'volume',
  expected_size: 1024 + 20 * 10_000,
  extended_header: { bytes: 0 },
} as unknown as NonNullable<FileRecord['mrc']>;
/** Section n lies in parts n and n + 1. */
const PART = 10_000;
const parts = (...idx: number[]) => new Set(idx);

test('arrived section: the central one, or else the nearest whose parts are all stored', () => {
  assert.equal(arrivedSection(MRC, PART, parts(0, 10, 11)), 10);
  assert.equal(arrivedSection(MRC, PART, parts(0, 1, 2, 3, 10)), 2);
  assert.equal(arrivedSection(MRC, PART, parts(0, 1, 5, 6, 10, 11)), 10);
  assert.equal(arrivedSection(MRC, PART, parts(0)), null);
  assert.equal(arrivedSection(MRC, PART, parts()), null);
});

test('arrived section: the header is needed, and sections along Z', () => {
  assert.equal(arrivedSection(MRC, PART, parts(10, 11)), null);
  const permuted = { ...MRC, geometry: { axes: [3, 1, 2], size: [100, 20, 100] } } as unknown as typeof MRC;
  assert.equal(arrivedSection(permuted, PART, parts(0, 10, 11)), null);
});
