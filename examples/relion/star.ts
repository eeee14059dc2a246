/** STAR files of RELION 3.1 and later: a table of optics groups, and one of movies or micrographs. */
import type { FileRecord } from '@cryolift/protocol/messages';

/** Null: no header says it. */
export interface Optics {
  readonly isMovie: boolean;
  /** Å. */
  readonly pixelSize: number | null;
  /** kV. */
  readonly voltage: number | null;
}

export interface Row {
  readonly path: string;
  readonly optics: Optics;
}

/** What a person says of the microscope. */
export interface Given {
  readonly voltage: string | undefined;
  /** Spherical aberration, mm. */
  readonly cs: string | undefined;
  /** Amplitude contrast. */
  readonly q0: string | undefined;
}

/** Gain references are given to the motion correction, and are not imported. */
const REFERENCE = /gain|defects|dark/i;

/** @returns null: it is neither a movie nor a micrograph. */
export function opticsOf({ filename, mrc, mdoc, tiff }: FileRecord): Optics | null {
  if (REFERENCE.test(filename)) return null;
  const voltage = mdoc?.voltage ?? mrc?.acquisition?.voltage ?? null;
  const header = mrc?.acquisition?.pixel_size?.[0] ?? mrc?.voxel_size?.[0] ?? tiff?.pixel_size ?? null;
  // Many programs write 1 Å when they do not know it.
  const pixelSize = mdoc?.pixel_size ?? (header === 1 ? null : header);
  if (mrc) {
    if (mrc.kind !== 'image' && mrc.kind !== 'stack') return null;
    return { isMovie: mrc.nz > 1, pixelSize, voltage };
  }
  return tiff ? { isMovie: tiff.frames > 1, pixelSize, voltage } : null;
}

/** @returns also the names of columns that were left out, because a value is not known. */
export function printStar(
  kind: 'movies' | 'micrographs',
  rows: readonly Row[],
  given: Given,
): { text: string; unknown: string[] } {
  const groups = new Map<string, number>();
  const groupOf = ({ pixelSize, voltage }: Optics) => {
    const key = `${pixelSize?.toFixed(4)} ${voltage}`;
    if (!groups.has(key)) groups.set(key, groups.size + 1);
    return groups.get(key) as number;
  };
  const files = rows.map(({ path, optics }) => [path, String(groupOf(optics))]);
  const optics = [...groups].map(([key, number]) => {
    const [pixelSize = '', voltage = 'null'] = key.split(' ');
    return {
      _rlnOpticsGroupName: `opticsGroup${number}`,
      _rlnOpticsGroup: String(number),
      _rlnMicrographOriginalPixelSize: pixelSize,
      ...(kind === 'micrographs' && { _rlnMicrographPixelSize: pixelSize }),
      _rlnVoltage: voltage === 'null' ? given.voltage : voltage,
      _rlnSphericalAberration: given.cs,
      _rlnAmplitudeContrast: given.q0,
    };
  });
  const columns = Object.keys(optics[0] ?? {}) as (keyof (typeof optics)[number])[];
  const known = columns.filter((column) => optics.every((group) => group[column] !== undefined));
  const name = kind === 'movies' ? '_rlnMicrographMovieName' : '_rlnMicrographName';
  const tables = [
    printTable(
      'optics',
      known,
      optics.map((group) => known.map((column) => String(group[column]))),
    ),
    printTable(kind, [name, '_rlnOpticsGroup'], files),
  ];
  return { text: `\n${tables.join('\n')}`, unknown: columns.filter((column) => !known.includes(column)) };
}

function printTable(name: string, columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = columns.map((column, at) => `${column} #${at + 1}`);
  return [
    '# version 30001',
    '',
    `data_${name}`,
    '',
    'loop_',
    ...head,
    ...rows.map((row) => row.join(' ')),
    '',
    '',
  ].join('\n');
}
