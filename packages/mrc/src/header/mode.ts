interface Mode {
  readonly name: string;
  readonly voxelBytes: number;
}

/** MODE of MRC2014 (0, 1, 2, 3, 4, 6, 12, 101), and 16, which is IMOD's own. */
const MODES: ReadonlyMap<number, Mode> = new Map([
  [0, { name: '8-bit integer', voxelBytes: 1 }],
  [1, { name: '16-bit signed integer', voxelBytes: 2 }],
  [2, { name: '32-bit float', voxelBytes: 4 }],
  [3, { name: 'complex of 16-bit integers', voxelBytes: 4 }],
  [4, { name: 'complex of 32-bit floats', voxelBytes: 8 }],
  [6, { name: '16-bit unsigned integer', voxelBytes: 2 }],
  [12, { name: '16-bit float', voxelBytes: 2 }],
  [16, { name: 'RGB, 8 bits each', voxelBytes: 3 }],
  [101, { name: '4-bit integer', voxelBytes: 0.5 }],
]);

/** MRCZ: MODE + 1000 × codec, and compressed data. blosc and blosc2 number their codecs from 1 to 15. */
export function isCompressedMode(mode: number): boolean {
  const codec = Math.floor(mode / 1000);
  return codec >= 1 && codec <= 15 && MODES.has(mode % 1000);
}

/** True for every MODE that some program in the field writes. */
export function isKnownMode(mode: number): boolean {
  return MODES.has(mode) || isCompressedMode(mode);
}

/** Bytes of one voxel (0.5 for mode 101); null when MODE does not determine it. */
export function bytesPerVoxel(mode: number): number | null {
  return MODES.get(mode)?.voxelBytes ?? null;
}

/** For messages: `2 (32-bit float)`. */
export function describeMode(mode: number): string {
  const known = MODES.get(mode);
  return known ? `${mode} (${known.name})` : `${mode}`;
}

export const KNOWN_MODES: readonly number[] = [...MODES.keys()];
