/** Files with statistics computed by numpy: each mode and byte order, with values that are hard to sum. */
import { HEADER_BYTES } from '../header/layout.ts';
import { bytesPerVoxel } from '../header/mode.ts';
import { buildHeader, type HeaderFields } from '../header/writer.ts';
import { randomNumbers } from '../samples/test-phantom.ts';

interface OracleFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const [NX, NY, NZ] = [37, 30, 12];

export function makeOracleFiles(): OracleFile[] {
  const files: OracleFile[] = [];
  for (const byteOrder of ['little', 'big'] as const) {
    for (const mode of [1, 2, 3, 4, 6, 12]) files.push(make(`mode${mode}-${byteOrder}.mrc`, { mode, byteOrder }));
  }
  files.push(make('signed.mrc', { mode: 0, dmin: -128, dmax: 127 }));
  files.push(make('unsigned.mrc', { mode: 0, dmin: 0, dmax: 255 }));
  files.push(make('rgb.mrc', { mode: 16 }));
  files.push(make('padded.mrc', { mode: 101 }));
  files.push(make('packed.mrc', { mode: 101 }, { isUnpadded: true }));
  files.push(make('offset.mrc', { mode: 2 }, { offset: 1e6 }));
  files.push(make('extended.mrc', { mode: 2, nsymbt: 161 }));
  files.push(make('not-finite.mrc', { mode: 2 }, { isBroken: true }));
  return files;
}

interface How {
  isUnpadded?: boolean;
  /** Added to all values: a mean that is much larger than the deviation. */
  offset?: number;
  isBroken?: boolean;
}

function make(name: string, fields: Omit<HeaderFields, 'nx' | 'ny' | 'nz'>, how: How = {}): OracleFile {
  const { mode, byteOrder = 'little', nsymbt = 0 } = fields;
  const isLittle = byteOrder === 'little';
  const start = HEADER_BYTES + nsymbt;
  const rowBytes = how.isUnpadded ? (NX * NY * NZ) / 2 / (NY * NZ) : Math.ceil(NX * (bytesPerVoxel(mode) as number));
  const bytes = new Uint8Array(start + rowBytes * NY * NZ);
  bytes.set(buildHeader({ nx: NX, ny: NY, nz: NZ, ...fields }));
  const view = new DataView(bytes.buffer, start);
  const random = randomNumbers(mode + 1);
  const length = bytes.length - start;
  if (mode === 2 || mode === 4) {
    for (let at = 0; at < length; at += 4) {
      view.setFloat32(at, (how.offset ?? 0) + (random() - 0.4) * 10 ** (random() * 3), isLittle);
    }
  } else if (mode === 12) {
    // Any pattern except NaN and the infinities.
    for (let at = 0; at < length; at += 2) view.setUint16(at, (random() * 65_536) & 0xbbff, isLittle);
  } else {
    for (let at = 0; at < length; at++) bytes[start + at] = random() * 256;
  }
  if (how.isBroken) {
    [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN].forEach((value, at) => {
      view.setFloat32(4 * (at * 4097 + 5), value, isLittle);
    });
  }
  return { name, bytes };
}
