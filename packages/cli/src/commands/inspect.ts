/** `cryolift inspect PATH`: prints the MRC header, the statistics of the voxels, and errors in both. */
import {
  applyKind,
  decideSignedness,
  describePixelSize,
  type Finding,
  isMrcName,
  type MrcOverrides,
  parseHeader,
  type SignednessDecision,
  type VoxelStatistics,
} from '@cryolift/mrc';
import { type CompressedFile, openCompressed } from '../files/compressed.ts';
import { type Check, checkHeader, checkPrefix, readHeader } from '../files/mrc-check.ts';
import { openNamed } from '../files/open-named.ts';
import { surveyVoxels, type Voxels } from '../files/voxels.ts';
import { formatBytes, formatTable } from '../output/format.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode, UsageError } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';

interface InspectFlags extends MrcOverrides {
  json?: boolean;
  header?: boolean;
  /** Folder of the pictures; true: the current folder. */
  png?: string | true;
}

interface Inspected extends Pick<Check, 'verdict' | 'mrc' | 'rejections' | 'notes'> {
  readonly warnings: readonly Finding<string>[];
  /** How the bytes of mode 0 are read; null for other modes. */
  readonly signedness: SignednessDecision | null;
  /** How the whole file is compressed; null when it is not. */
  readonly compressed: string | null;
  readonly voxels: Voxels | null;
}

export async function inspect(path: string, flags: InspectFlags): Promise<ExitCode> {
  const source = await openNamed(path);
  const size = source.sizeBytes;
  const [inside, header] = await Promise.all([openCompressed(source), readHeader(source)]).finally(() =>
    source.close(),
  );
  if (inside && flags.png !== undefined) {
    throw new UsageError(`--png: the file is compressed with ${inside.format}; decompress it first`);
  }
  const outside = checkHeader(header, size, source.name);
  const found = inside
    ? inspectInside(inside, isMrcName(source.name) ? outside.rejections : [], flags)
    : await inspectPlain(path, outside, header, flags);
  const { voxels, ...said } = found;
  const { statistics = null, pictures = [] } = voxels ?? {};
  new Output(flags.json).result({ path, size, ...said, statistics, pictures }, () => describe(path, size, found));
  return found.verdict === 'accepted' ? EXIT.done : EXIT.failed;
}

async function inspectPlain(
  path: string,
  check: Check,
  header: Uint8Array,
  { png, header: isHeaderOnly, kind, mode0 }: InspectFlags,
): Promise<Inspected> {
  const folder = png === undefined ? null : png === true ? '.' : png;
  const overrides = { ...(kind && { kind }), ...(mode0 && { mode0 }) };
  const voxels = isHeaderOnly ? null : await surveyVoxels(path, folder, overrides, interruptible());
  return {
    ...check,
    mrc: check.mrc && applyKind(check.mrc, overrides),
    warnings: [...check.warnings, ...(voxels?.findings ?? [])],
    signedness: voxels ? voxels.signedness : check.mrc && decideSignedness(parseHeader(header), mode0),
    compressed: null,
    voxels,
  };
}

/** @param outside the error of a compressed file that has the name of an MRC file. */
function inspectInside(
  { format, header, error, filename }: CompressedFile,
  outside: Check['rejections'],
  { kind, mode0 }: InspectFlags,
): Inspected {
  const nothing = { notes: [], warnings: [], signedness: null, compressed: format, voxels: null };
  if (!header) {
    return { ...nothing, verdict: 'rejected', mrc: null, rejections: [{ code: 'compressed', message: error }] };
  }
  const check = checkPrefix(header, filename);
  const rejections = [...outside, ...check.rejections];
  return {
    ...nothing,
    ...check,
    verdict: rejections.length > 0 ? 'rejected' : 'accepted',
    mrc: check.mrc && applyKind(check.mrc, kind ? { kind } : {}),
    rejections,
    signedness: check.mrc && decideSignedness(parseHeader(header), mode0),
  };
}

function describe(path: string, sizeBytes: number, found: Inspected): string[] {
  const { mrc, signedness, compressed, voxels, rejections, warnings, notes } = found;
  const inside = compressed === null ? '' : ` (compressed with ${compressed}; header of the content)`;
  const bytes = `${mrc?.bytes_per_voxel} bytes per voxel, ${mrc?.byte_order}-endian`;
  const reading = signedness ? `${signedness.value}: ${signedness.evidence.message}; ` : '';
  const rows = mrc && [
    ['kind', `${mrc.kind}: ${mrc.kind_evidence.message}`],
    ['dimensions', `${mrc.nx} × ${mrc.ny} × ${mrc.nz}`],
    ['mode', `${mrc.mode} (${reading}${bytes})`],
    ['voxel size', describePixelSize(mrc) ?? 'not set'],
    [
      'extended header',
      mrc.extended_header.bytes === 0
        ? 'none'
        : `${mrc.extended_header.type || 'untyped'}, ${mrc.extended_header.bytes} bytes`,
    ],
    [
      'header statistics',
      mrc.stats
        ? `min ${mrc.stats.min}, max ${mrc.stats.max}, mean ${mrc.stats.mean}, rms ${mrc.stats.rms}`
        : 'not determined',
    ],
    ['size', `${sizeBytes} bytes (${formatBytes(sizeBytes)}); the header requires ${mrc.expected_size}`],
    ...mrc.labels.map((label, at) => [at === 0 ? 'labels' : '', label]),
  ];
  return [
    `${path}${inside}`,
    ...(rows ? formatTable([...rows, ...(voxels ? describeVoxels(voxels.statistics) : [])]) : []),
    ...rejections.map(({ message }) => `rejected: ${message}`),
    ...warnings.map(({ message }) => `warning: ${message}`),
    ...notes.map(({ message }) => `note: ${message}`),
    ...(voxels?.pictures ?? []).map((picture) => `written: ${picture}`),
  ];
}

function describeVoxels({ count, min, max, mean, sd, nan, inf }: VoxelStatistics): string[][] {
  const digits = (value: number | null) => (value === null ? 'none' : String(Number(value.toPrecision(7))));
  return [
    ['voxels', `${count + nan + inf}${nan + inf > 0 ? `, of which ${nan} NaN and ${inf} infinite` : ''}`],
    ['statistics', `min ${digits(min)}, max ${digits(max)}, mean ${digits(mean)}, rms ${digits(sd)}`],
  ];
}
