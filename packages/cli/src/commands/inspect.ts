/** `cryolift inspect PATH`: what the MRC header says, and what is wrong with it. */
import { FileSource } from '@cryolift/client/node';
import { EXIT, type ExitCode } from '../exit.ts';
import { formatBytes, formatTable } from '../format.ts';
import { type Check, judgeMrc } from '../mrc-check.ts';
import { Output } from '../output.ts';

export async function inspect(path: string, flags: { json?: boolean }): Promise<ExitCode> {
  const source = await FileSource.open(path);
  try {
    const check = await judgeMrc(source);
    const size = source.sizeBytes;
    new Output(flags.json).result({ path, size, ...check }, () => describe(path, size, check));
    return check.verdict === 'accepted' ? EXIT.done : EXIT.failed;
  } finally {
    await source.close();
  }
}

function describe(path: string, sizeBytes: number, { mrc, rejections, warnings, notes }: Check): string {
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
      'statistics',
      mrc.stats
        ? `min ${mrc.stats.min}, max ${mrc.stats.max}, mean ${mrc.stats.mean}, rms ${mrc.stats.rms}`
        : 'not determined',
    ],
    ['size', `${sizeBytes} bytes (${formatBytes(sizeBytes)}); the header asks for ${mrc.expected_size}`],
    ...mrc.labels.map((label, at) => [at === 0 ? 'labels' : '', label]),
  ];
  return [
    path,
    ...(rows ? [formatTable(rows)] : []),
    ...rejections.map(({ message }) => `rejected: ${message}`),
    ...warnings.map(({ message }) => `warning: ${message}`),
    ...notes.map(({ message }) => `note: ${message}`),
  ].join('\n');
}
