/** What `cryolift inspect` prints for people. */
import {
  type Dose,
  describeAcquisition,
  describeAxes,
  describeExtent,
  describePixelSize,
  describeTilts,
  type FileStatistics,
  type Finding,
  type HeaderWord,
  type MrcSummary,
  type SignednessDecision,
} from '@cryolift/mrc';
import type { Check } from '../files/mrc-check.ts';
import type { Voxels } from '../files/voxels.ts';
import { formatBytes, formatTable } from '../output/format.ts';
import { describeMdoc, type Sidecar } from './mdoc.ts';

export interface Inspected extends Pick<Check, 'verdict' | 'mrc' | 'rejections'> {
  readonly warnings: readonly Finding<string>[];
  readonly notes: readonly Finding<string>[];
  /** How the bytes of mode 0 are read; null for other modes. */
  readonly signedness: SignednessDecision | null;
  /** How the whole file is compressed; null when it is not. */
  readonly compressed: string | null;
  readonly voxels: Voxels | null;
  /** The `.mdoc` file beside it. */
  readonly sidecar: Sidecar | null;
}

/** @param words of the header, to print them too. */
export function describeInspected(
  path: string,
  sizeBytes: number,
  found: Inspected,
  words: readonly HeaderWord[],
): string[] {
  const { mrc, compressed, voxels, sidecar, rejections, warnings, notes } = found;
  const inside = compressed === null ? '' : ` (compressed with ${compressed}; header of the content)`;
  const rows = mrc && [...describeSummary(mrc, found, sizeBytes), ...(voxels ? describeVoxels(voxels.statistics) : [])];
  return [
    `${path}${inside}`,
    ...(rows ? formatTable(rows) : []),
    ...(sidecar ? [sidecar.path, ...formatTable(describeMdoc(sidecar.summary))] : []),
    ...formatTable(words.map(({ word, name, value, bytes }) => [`word ${word}`, name, bytes, value])),
    ...rejections.map(({ message }) => `rejected: ${message}`),
    ...warnings.map(({ message }) => `warning: ${message}`),
    ...notes.map(({ message }) => `note: ${message}`),
    ...(voxels?.pictures ?? []).map((picture) => `written: ${picture}`),
  ];
}

function describeSummary(mrc: MrcSummary, { signedness }: Inspected, sizeBytes: number): string[][] {
  const bytes = `${mrc.bytes_per_voxel} bytes per voxel, ${mrc.byte_order}-endian`;
  const reading = signedness ? `${signedness.value}: ${signedness.evidence.message}; ` : '';
  return [
    ['kind', `${mrc.kind}: ${mrc.kind_evidence.message}`],
    ['dimensions', `${mrc.nx} × ${mrc.ny} × ${mrc.nz}`],
    ['mode', `${mrc.mode} (${reading}${bytes})`],
    ['voxel size', describePixelSize(mrc) ?? 'not set'],
    ...describeGeometry(mrc),
    ['extended header', describeExtended(mrc)],
    ...(mrc.acquisition
      ? describeAcquisition(mrc.acquisition).map(([field, value]) => [field.replace('_', ' '), value])
      : []),
    ...(mrc.tilts ? [['tilt angles', describeTilts(mrc.tilts)]] : []),
    ...(mrc.symmetry ?? []).map((operator, at) => [at === 0 ? 'symmetry' : '', operator]),
    [
      'header statistics',
      mrc.stats
        ? `min ${mrc.stats.min}, max ${mrc.stats.max}, mean ${mrc.stats.mean}, rms ${mrc.stats.rms}`
        : 'not determined',
    ],
    ['size', `${sizeBytes} bytes (${formatBytes(sizeBytes)}); the header requires ${mrc.expected_size}`],
    ...mrc.labels.map((label, at) => [at === 0 ? 'labels' : '', label]),
  ];
}

function describeGeometry(mrc: MrcSummary): string[][] {
  const { axes, volumes, m, cell, angles, nstart, origin, ispg, nversion } = mrc.geometry;
  const { first, evidence } = mrc.row_order;
  const named = describeAxes({ axes });
  return [
    ['extent', describeExtent(mrc) ?? 'not known'],
    ...(volumes > 1 ? [['volumes', String(volumes)]] : []),
    ['axes', `MAPC, MAPR, MAPS ${axes.join(', ')}${named ? `: ${named}` : ''}`],
    ['cell', `${cell.join(' × ')} Å, ${angles.map((angle) => `${angle}°`).join(', ')}; MX, MY, MZ ${m.join(', ')}`],
    ['start, origin', `NSTART ${nstart.join(', ')}; ORIGIN ${origin.join(', ')} Å`],
    ['space group', `ISPG ${ispg}`],
    ['version', `NVERSION ${nversion}`],
    ['first row', `${first === 'top' ? 'on top' : 'at the bottom'}: ${evidence.message}`],
  ];
}

const HOLDS = {
  fei: 'a record of Thermo Fisher for each image',
  serialem: 'a record of SerialEM for each image',
  agard: "a record in Agard's format for each image",
  symmetry: 'operators of the space group',
} as const;

function describeExtended({ extended_header: { type, bytes, holds } }: MrcSummary): string {
  if (bytes === 0) return 'none';
  return [type || 'untyped', `${bytes} bytes`, ...(holds ? [HOLDS[holds]] : [])].join(', ');
}

/** Rows of a table. */
export function describeVoxels(statistics: FileStatistics): string[][] {
  const { count, min, max, mean, sd, nan, inf, dose_per_frame: dose } = statistics;
  const digits = (value: number | null) => (value === null ? 'none' : String(Number(value.toPrecision(7))));
  return [
    ['voxels', `${count + nan + inf}${nan + inf > 0 ? `, of which ${nan} NaN and ${inf} infinite` : ''}`],
    ['statistics', `min ${digits(min)}, max ${digits(max)}, mean ${digits(mean)}, rms ${digits(sd)}`],
    ...(dose ? [['dose', describeDose(dose)]] : []),
  ];
}

function describeDose({ per_pixel, per_square_angstrom: dense }: Dose): string {
  const short = (value: number) => String(Number(value.toPrecision(3)));
  const area = dense === null ? '' : `, ${short(dense)} electrons per Å²`;
  return `${short(per_pixel)} electrons per pixel and frame${area}`;
}
