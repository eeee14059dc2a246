/** `cryolift inspect PATH`: what the MRC header says, what is in the voxels, and what is wrong with both. */
import type { VoxelStatistics } from '@cryolift/mrc';
import { EXIT, type ExitCode } from '../exit.ts';
import { formatBytes, formatTable } from '../format.ts';
import { interruptible } from '../interrupt.ts';
import { type Check, judgeMrc } from '../mrc-check.ts';
import { openNamed } from '../open-named.ts';
import { Output } from '../output.ts';
import { surveyVoxels, type Voxels } from '../voxels.ts';

interface InspectFlags {
  json?: boolean;
  header?: boolean;
  /** A folder; true: this one. */
  png?: string | true;
}

export async function inspect(path: string, flags: InspectFlags): Promise<ExitCode> {
  const source = await openNamed(path);
  const size = source.sizeBytes;
  const check = await judgeMrc(source).finally(() => source.close());
  const folder = flags.png === undefined ? null : flags.png === true ? '.' : flags.png;
  const voxels = flags.header ? null : await surveyVoxels(path, folder, interruptible());
  const { statistics = null, findings = [], pictures = [] } = voxels ?? {};
  const warnings = [...check.warnings, ...findings];
  new Output(flags.json).result({ path, size, ...check, warnings, statistics, pictures }, () =>
    describe(path, size, { ...check, warnings }, voxels),
  );
  return check.verdict === 'accepted' ? EXIT.done : EXIT.failed;
}

function describe(
  path: string,
  sizeBytes: number,
  {
    mrc,
    rejections,
    warnings,
    notes,
  }: Pick<Check, 'mrc' | 'rejections' | 'notes'> & { warnings: readonly { message: string }[] },
  voxels: Voxels | null,
): string {
  const rows = mrc && [
    ['kind', mrc.kind],
    ['dimensions', `${mrc.nx} × ${mrc.ny} × ${mrc.nz}`],
    ['mode', `${mrc.mode} (${mrc.bytes_per_voxel} bytes per voxel, ${mrc.byte_order}-endian)`],
    ['voxel size', mrc.voxel_size ? `${mrc.voxel_size.join(' × ')} Å` : 'not set'],
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
    ['size', `${sizeBytes} bytes (${formatBytes(sizeBytes)}); the header asks for ${mrc.expected_size}`],
    ...mrc.labels.map((label, at) => [at === 0 ? 'labels' : '', label]),
  ];
  return [
    path,
    ...(rows ? [formatTable([...rows, ...(voxels ? describeVoxels(voxels.statistics) : [])])] : []),
    ...rejections.map(({ message }) => `rejected: ${message}`),
    ...warnings.map(({ message }) => `warning: ${message}`),
    ...notes.map(({ message }) => `note: ${message}`),
    ...(voxels?.pictures ?? []).map((picture) => `written: ${picture}`),
  ].join('\n');
}

function describeVoxels({ count, min, max, mean, sd, nan, inf }: VoxelStatistics): string[][] {
  const digits = (value: number | null) => (value === null ? 'none' : String(Number(value.toPrecision(7))));
  return [
    ['voxels', `${count + nan + inf}${nan + inf > 0 ? `, of which ${nan} NaN and ${inf} infinite` : ''}`],
    ['statistics', `min ${digits(min)}, max ${digits(max)}, mean ${digits(mean)}, rms ${digits(sd)}`],
  ];
}
