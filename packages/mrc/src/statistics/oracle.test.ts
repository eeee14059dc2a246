/**
 * Compares statistics with those of numpy and mrcfile. Their results are committed. Where they are installed (Debian:
 * python3-mrcfile), they are run again. `UPDATE_ORACLE=1` writes their results.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseHeader } from '../header/header.ts';
import { VoxelAnalysis } from '../voxel-analysis.ts';
import { layoutOf } from '../voxels/voxels.ts';
import { makeOracleFiles } from './test-oracle.ts';

type Numbers = Readonly<Record<'count' | 'min' | 'max' | 'mean' | 'sd' | 'nan' | 'inf', number>>;

const EXPECTED = fileURLToPath(new URL('../../fixtures/oracle.json', import.meta.url));
const EMD_3001 = fileURLToPath(new URL('../../fixtures/EMD-3001.map', import.meta.url));
const ORACLE = fileURLToPath(new URL('oracle.py', import.meta.url));
/** The system's Python, for which Debian packages mrcfile. */
const PYTHON = '/usr/bin/python3';
const TOLERANCE = 1e-6;

const files = [...makeOracleFiles(), { name: 'EMD-3001.map', bytes: new Uint8Array(readFileSync(EMD_3001)) }];

/** Null where there is no Python with mrcfile. */
function askOracle(): Record<string, Numbers> | null {
  if (spawnSync(PYTHON, ['-c', 'import mrcfile, numpy']).status !== 0) return null;
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-oracle-'));
  for (const { name, bytes } of files) writeFileSync(join(folder, name), bytes);
  const asked = spawnSync(PYTHON, [ORACLE, ...files.map(({ name }) => join(folder, name))], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  assert.equal(asked.status, 0, asked.stderr);
  return JSON.parse(asked.stdout) as Record<string, Numbers>;
}

const said = askOracle();
if (process.env.UPDATE_ORACLE && said) writeFileSync(EXPECTED, `${JSON.stringify(said, null, 2)}\n`);
const expected = JSON.parse(readFileSync(EXPECTED, 'utf8')) as Record<string, Numbers>;

function assertClose(found: Numbers, wanted: Numbers): void {
  for (const name of ['count', 'nan', 'inf'] as const) assert.equal(found[name], wanted[name], name);
  // Minimum, maximum and RMS relative to themselves, the mean also relative to the RMS.
  for (const name of ['min', 'max', 'mean', 'sd'] as const) {
    const scale = Math.max(Math.abs(wanted[name]), name === 'mean' ? wanted.sd : 0);
    assert.ok(
      Math.abs(found[name] - wanted[name]) <= TOLERANCE * scale,
      `${name}: ${found[name]}, not ${wanted[name]}`,
    );
  }
}

for (const { name, bytes } of files) {
  test(`${name}: statistics equal those of numpy`, () => {
    const header = parseHeader(bytes, bytes.length);
    const layout = layoutOf(header, bytes.length);
    assert.ok(layout);
    const analysis = new VoxelAnalysis(layout, 'stack');
    analysis.add(0, bytes);
    assertClose(analysis.statistics() as Numbers, expected[name] as Numbers);
  });
}

test('oracle.json: the committed numbers equal those of numpy', {
  skip: said === null && 'no python3-mrcfile here',
}, () => {
  assert.deepEqual(Object.keys(expected).sort(), files.map(({ name }) => name).sort());
  for (const { name } of files)
    assertClose((said as Record<string, Numbers>)[name] as Numbers, expected[name] as Numbers);
});
