import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHeader } from '../header/header.ts';
import { buildHeader, type HeaderFields } from '../header/writer.ts';
import { defaultPreviews } from '../pictures/preview-request.ts';
import { decideKind, type MrcKind } from './kind.ts';
import { applyKind, readOverrides } from './overrides.ts';

function decide(fields: Partial<HeaderFields>, filename = 'a.mrc', given?: MrcKind) {
  const shape = { nx: 90, ny: 80, nz: 20, mode: 2, m: [90, 80, 20], cella: [90, 80, 20] } as const;
  const { kind, evidence } = decideKind(parseHeader(buildHeader({ ...shape, ...fields })), filename, given);
  return `${kind} by ${evidence.code}`;
}

const CUBE = { nx: 64, ny: 64, nz: 64, m: [64, 64, 64], cella: [64, 64, 64] } as const;

test('kind: the kind that the owner gives has priority', () => {
  assert.equal(decide({ ispg: 401 }, 'a.mrcs', 'volume'), 'volume by given');
});

test('kind: the extension has priority over fields that many programs leave unset', () => {
  assert.equal(decide({ ispg: 1 }, 'a.MRCS'), 'stack by extension');
  assert.equal(decide({ ispg: 0 }, 'a.rec'), 'volume by extension');
  assert.equal(decide({ nz: 1 }, 'a.map'), 'image by one_section');
});

test('kind: MZ 1 means images, unless ISPG says volume', () => {
  assert.equal(decide({ ispg: 1, m: [90, 80, 1] }), 'volume by ispg');
  assert.equal(decide({ ispg: 0, m: [90, 80, 1] }), 'stack by mz');
  assert.equal(decide({ ...CUBE, m: [64, 64, 1], cella: [64, 64, 1] }), 'stack by mz');
});

test('kind: labels beyond NLABL are ignored', () => {
  const label = ['', 'Relion 5'];
  assert.equal(decide({ label, nlabl: 2 }), 'volume by label');
  assert.equal(decide({ label, nlabl: 1 }), 'stack by default');
});

test('kind: a cube with distant sections does not count as a cube', () => {
  assert.equal(decide(CUBE), 'volume by dimensions');
  assert.equal(decide({ ...CUBE, cella: [64, 64, 640] }), 'stack by default');
  assert.equal(decide({ ...CUBE, cella: [0, 0, 0] }), 'volume by dimensions');
});

test('kind: nearly a cube is a volume when MZ and the cell agree', () => {
  const shape = { nx: 64, ny: 64, nz: 72, m: [64, 64, 72], cella: [64, 64, 72] } as const;
  assert.equal(decide(shape), 'volume by dimensions');
  assert.equal(decide({ ...shape, cella: [64, 64, 0] }), 'stack by default');
  assert.equal(decide({ ...shape, cella: [64, 64, 144] }), 'stack by default');
  assert.equal(decide({ ...shape, m: [64, 64, 64] }), 'stack by default');
  assert.equal(decide({ ...shape, nz: 100, m: [64, 64, 100], cella: [64, 64, 100] }), 'stack by default');
});

test('kind: a volume has too many sections for a tilt series, too small for a camera, not square', () => {
  const shape = (nx: number, ny: number, nz: number) => ({ nx, ny, nz, m: [nx, ny, nz], cella: [nx, ny, nz] }) as const;
  assert.equal(decide(shape(900, 800, 151)), 'volume by dimensions');
  assert.equal(decide(shape(900, 800, 61)), 'stack by default');
  assert.equal(decide(shape(100, 80, 40)), 'volume by dimensions');
  assert.equal(decide(shape(3838, 3710, 400)), 'stack by default');
  assert.equal(decide(shape(300, 300, 400)), 'stack by default');
  assert.equal(decide(shape(1024, 1024, 300)), 'volume by dimensions');
  assert.equal(decide(shape(1024, 1024, 120)), 'stack by default');
});

test('kind: metadata override it, and an unknown value is reported', () => {
  const summary = { kind: 'stack' as const, kind_evidence: { code: 'default', message: 'ISPG is 0' } };
  assert.deepEqual(applyKind(summary, { kind: 'volume' }), {
    kind: 'volume',
    kind_evidence: { code: 'given', message: 'it was given with the file' },
  });
  assert.equal(applyKind(summary, {}), summary);
  assert.match(
    applyKind(summary, { kind: 'gain' }).kind_evidence.message,
    /^ISPG is 0; the kind in the metadata is none of/,
  );
  assert.equal(applyKind(summary, { kind: 'toString' }).kind, 'stack');
  assert.deepEqual(readOverrides({ kind: 'volume', mode0: 'unsigned' }), { kind: 'volume', mode0: 'unsigned' });
  assert.deepEqual(readOverrides({ kind: 'constructor', mode0: '' }), {});
});

test('kind: a one-image stack given by the owner gets the previews of an image', () => {
  const [first] = defaultPreviews({ kind: 'stack', nx: 100, ny: 100, nz: 1, mode: 2 });
  assert.equal(first?.kind, 'section');
});
