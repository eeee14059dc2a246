/** `cryolift inspect --diff A B`: compares the headers and the voxels of two MRC files. */
import type { FileSource } from '@cryolift/client/node';
import { layoutOf, listWords, MRC_HEADER_BYTES, type MrcHeader, parseHeader } from '@cryolift/mrc';
import { readHeader } from '../files/mrc-check.ts';
import { openNamed } from '../files/open-named.ts';
import { formatTable } from '../output/format.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode, Refusal } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';

const CHUNK_BYTES = 4 * 1024 * 1024;

interface Side {
  readonly path: string;
  readonly source: FileSource;
  readonly bytes: Uint8Array;
  readonly header: MrcHeader;
}

/** A word or a label of the header that differs. */
interface Difference {
  readonly name: string;
  readonly a: string;
  readonly b: string;
}

/** `same`, `different` from a voxel on (column, row, section), or why voxels were not compared. */
type Data =
  | { readonly result: 'same' }
  | { readonly result: 'different'; readonly voxel: readonly [number, number, number] }
  | { readonly result: 'not_compared'; readonly message: string };

/** Words of the header and bytes of the voxels; what an extended header holds is not compared. */
export async function compareFiles(
  a: string,
  b: string,
  flags: { readonly json?: boolean; readonly header?: boolean },
): Promise<ExitCode> {
  const open = [await openNamed(a)];
  try {
    open.push(await openNamed(b));
    const sides = [await read(a, open[0] as FileSource), await read(b, open[1] as FileSource)] as const;
    const header = compareHeaders(...sides);
    const data = flags.header ? null : await compareVoxels(...sides, interruptible());
    const result = { a, b, size: { a: sides[0].source.sizeBytes, b: sides[1].source.sizeBytes }, header, data };
    new Output(flags.json).result(result, () => describe(a, b, header, data));
    const isSame = header.length === 0 && (data === null || data.result === 'same');
    return isSame ? EXIT.done : EXIT.failed;
  } finally {
    await Promise.all(open.map((source) => source.close()));
  }
}

async function read(path: string, source: FileSource): Promise<Side> {
  const bytes = await readHeader(source);
  if (bytes.length < MRC_HEADER_BYTES) {
    throw new Refusal(
      'invalid_mrc',
      `${path}: the file has ${bytes.length} bytes, and an MRC header alone has ${MRC_HEADER_BYTES}.`,
      'Give two MRC files.',
    );
  }
  return { path, source, bytes, header: parseHeader(bytes, source.sizeBytes) };
}

function compareHeaders(a: Side, b: Side): Difference[] {
  const words = listWords(b.bytes, b.header.byteOrder);
  const differences = listWords(a.bytes, a.header.byteOrder).flatMap(({ word, name, value }, index) => {
    const other = words[index]?.value ?? '';
    return value === other ? [] : [{ name: `${name} (word ${word})`, a: value, b: other }];
  });
  const labels = a.header.label.flatMap((label, index) => {
    const other = b.header.label[index] ?? '';
    return label === other ? [] : [{ name: `label ${index + 1}`, a: JSON.stringify(label), b: JSON.stringify(other) }];
  });
  return [...differences, ...labels];
}

async function compareVoxels(a: Side, b: Side, signal: AbortSignal): Promise<Data> {
  const [left, right] = [layoutOf(a.header, a.source.sizeBytes), layoutOf(b.header, b.source.sizeBytes)];
  if (!left || !right) return { result: 'not_compared', message: 'the voxels of one file cannot be read' };
  const shape = (of: typeof left) => [of.nx, of.ny, of.nz, of.mode, of.byteOrder, of.isUnpadded].join();
  if (shape(left) !== shape(right)) {
    return { result: 'not_compared', message: 'they differ in dimensions, mode or byte order' };
  }
  const chunks = [new Uint8Array(CHUNK_BYTES), new Uint8Array(CHUNK_BYTES)] as const;
  for (let at = 0; at < left.dataBytes; at += CHUNK_BYTES) {
    signal.throwIfAborted();
    const length = Math.min(CHUNK_BYTES, left.dataBytes - at);
    const [one, other] = [chunks[0].subarray(0, length), chunks[1].subarray(0, length)];
    await Promise.all([a.source.read(left.dataOffset + at, one), b.source.read(right.dataOffset + at, other)]);
    if (Buffer.compare(one, other) === 0) continue;
    const voxel = Math.floor((at + one.findIndex((byte, index) => byte !== other[index])) / left.voxelBytes);
    const stride = left.mode === 101 && !left.isUnpadded ? 2 * Math.ceil(left.nx / 2) : left.nx;
    const row = Math.floor(voxel / stride);
    return { result: 'different', voxel: [voxel % stride, row % left.ny, Math.floor(row / left.ny)] };
  }
  return { result: 'same' };
}

function describe(a: string, b: string, header: readonly Difference[], data: Data | null): string[] {
  const rows = header.map(({ name, a: left, b: right }) => [name, left, right]);
  return [
    ...(rows.length > 0 ? formatTable([['', a, b], ...rows]) : ['the headers are the same']),
    ...(data === null ? [] : [describeData(data)]),
  ];
}

function describeData(data: Data): string {
  switch (data.result) {
    case 'same':
      return 'the voxels are the same';
    case 'different':
      return `the voxels differ, first in column ${data.voxel[0]}, row ${data.voxel[1]}, section ${data.voxel[2]}`;
    case 'not_compared':
      return `the voxels are not compared: ${data.message}`;
  }
}
