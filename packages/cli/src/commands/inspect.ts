/** `cryolift inspect PATH`: what the MRC header says, and what is wrong with it. */
import { FileSource } from '@cryolift/client/node';
import { checkMrc } from '@cryolift/mrc';
import type { Command } from 'commander';
import { EXIT, type ExitCode } from '../exit.ts';
import { formatBytes, formatTable } from '../format.ts';
import { Output } from '../output.ts';

const HEADER_BYTES = 4096;

type Check = Exclude<ReturnType<typeof checkMrc>, { verdict: 'header_incomplete' }>;

export function addInspect(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('inspect')
    .description('what the MRC header of a local file says, and what is wrong with it')
    .argument('<path>')
    .action(async (path: string, _flags: unknown, command: Command) => {
      finish(await inspect(path, new Output(command.optsWithGlobals<{ json?: boolean }>().json ?? false)));
    });
}

async function inspect(path: string, output: Output): Promise<ExitCode> {
  const source = await FileSource.open(path);
  try {
    const header = await source.read(0, Math.min(HEADER_BYTES, source.sizeBytes));
    const check = checkMrc({ header, sizeBytes: source.sizeBytes, filename: source.name }) as Check;
    output.result({ path, size: source.sizeBytes, ...check }, () => describe(path, source.sizeBytes, check));
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
