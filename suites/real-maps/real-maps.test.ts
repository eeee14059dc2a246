/**
 * Headers of real files compared with what mrcfile and gemmi say of them. Their answers are committed; where Python is,
 * they are asked again. `UPDATE_ORACLE=1` writes the answers.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkMrc, completeSummary, describeMrc, type MrcSummary, parseHeader } from '@cryolift/mrc';
import { bringReaders } from './python.ts';

interface RealHeader {
  readonly name: string;
  /** Of the whole file, bytes. */
  readonly size: number;
  /** Of the excerpt; zeros at its end are left out. */
  readonly bytes: number;
  readonly base64: string;
}

interface Answer {
  readonly size: readonly number[];
  readonly mode: number;
  readonly m: readonly number[];
  readonly nstart: readonly number[];
  readonly cell: readonly number[];
  readonly angles: readonly number[];
  readonly origin: readonly number[];
  readonly axes: readonly number[];
  readonly ispg: number;
  readonly voxel: readonly number[];
  readonly fei: Readonly<Record<string, number | string>> | null;
  /** Null: gemmi refuses the file. */
  readonly space: readonly number[] | null;
}

const fixture = (name: string) => fileURLToPath(new URL(`../../packages/mrc/fixtures/${name}`, import.meta.url));
const EXPECTED = fixture('real-headers-oracle.json');
const headers = JSON.parse(readFileSync(fixture('real-headers.json'), 'utf8')) as RealHeader[];

function excerpt({ base64, bytes }: RealHeader): Uint8Array {
  const start = new Uint8Array(bytes);
  start.set(Buffer.from(base64, 'base64'));
  return start;
}

/** Null where there is no Python with mrcfile and gemmi. */
function askReaders(): Record<string, Answer> | null {
  const environment = bringReaders();
  if ('missing' in environment) return null;
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-real-maps-'));
  for (const header of headers) {
    writeFileSync(join(folder, header.name), excerpt(header));
    truncateSync(join(folder, header.name), header.size);
  }
  const script = fileURLToPath(new URL('describe.py', import.meta.url));
  const asked = spawnSync(join(environment.bin, 'python'), [script, folder], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  assert.equal(asked.status, 0, asked.stderr);
  return JSON.parse(asked.stdout) as Record<string, Answer>;
}

const said = askReaders();
if (process.env.UPDATE_ORACLE && said) writeFileSync(EXPECTED, `${JSON.stringify(said, null, 2)}\n`);
const expected = JSON.parse(readFileSync(EXPECTED, 'utf8')) as Record<string, Answer>;

/** The summary of a file of which only the start is here. */
async function summarise(header: RealHeader): Promise<MrcSummary> {
  const { name: filename, size: sizeBytes } = header;
  const start = excerpt(header);
  const check = checkMrc({ header: start, sizeBytes, filename });
  assert.ok(check.verdict === 'accepted' && check.mrc, `${filename}: ${JSON.stringify(check)}`);
  // Zeros follow the excerpt.
  const read = async (offset: number, target: Uint8Array) => target.set(start.subarray(offset, offset + target.length));
  const description = await describeMrc({ read }, parseHeader(start, sizeBytes), { sizeBytes, filename });
  return completeSummary(check.mrc, description);
}

function assertClose(found: readonly (number | null)[], wanted: readonly number[], what: string): void {
  assert.equal(found.length, wanted.length, what);
  wanted.forEach((value, index) => {
    const other = found[index] ?? Number.NaN;
    assert.ok(Math.abs(other - value) <= 1e-6 * Math.abs(value), `${what}: ${found}, not ${wanted}`);
  });
}

for (const header of headers) {
  test(`${header.name}: fields, sizes and acquisition are those of mrcfile and gemmi`, async () => {
    const wanted = expected[header.name] as Answer;
    const mrc = await summarise(header);
    const { geometry } = mrc;
    assert.deepEqual([mrc.nx, mrc.ny, mrc.nz, mrc.mode, geometry.ispg], [...wanted.size, wanted.mode, wanted.ispg]);
    assert.deepEqual([geometry.m, geometry.nstart, geometry.axes], [wanted.m, wanted.nstart, wanted.axes]);
    for (const field of ['cell', 'angles', 'origin'] as const) assertClose(geometry[field], wanted[field], field);
    if (mrc.voxel_size) assertClose(mrc.voxel_size, wanted.voxel, 'voxel size');
    if (wanted.space) assert.deepEqual(geometry.size, wanted.space);
    if (!wanted.fei) return;
    const { microscope, camera, pixel, tilt, ...numbers } = wanted.fei;
    const { acquisition } = mrc;
    assert.ok(acquisition);
    assert.deepEqual([acquisition.microscope, acquisition.camera], [microscope, camera]);
    for (const [name, value] of Object.entries(numbers)) {
      assertClose([acquisition[name as 'voltage']], [value as number], name);
    }
    assertClose(acquisition.pixel_size ?? [], [pixel as number, pixel as number], 'pixel size');
    assert.equal(mrc.row_order.first, 'top');
  });
}

test('real headers: at least 20, and the committed answers are those of mrcfile and gemmi', {
  skip: said === null && 'no mrcfile and gemmi here',
}, () => {
  assert.ok(headers.length >= 20);
  assert.deepEqual(said, expected);
});
