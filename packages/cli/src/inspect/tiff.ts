/** `cryolift inspect` of a TIFF, BigTIFF or EER file: its structure, its data, and what is wrong with both. */
import type { FileSource } from '@cryolift/client/node';
import {
  checkDecoded,
  completeDecoded,
  describeMrc,
  describeTiff,
  type Finding,
  openTiff,
  parseHeader,
  type TiffCheck,
  TiffDataError,
} from '@cryolift/mrc';
import { toVoxelSource, walkSource } from '../files/structure-check.ts';
import { type PictureFlags, surveyFile, toPictureChoice, type Voxels } from '../files/voxels.ts';
import { formatBytes, formatTable } from '../output/format.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';
import { describeVoxels } from './text.ts';

interface TiffFlags extends PictureFlags {
  json?: boolean;
  /** Only the structure. */
  header?: boolean;
}

interface Found extends Omit<TiffCheck, 'warnings'> {
  readonly warnings: readonly Finding<string>[];
  readonly voxels: Voxels | null;
}

export async function inspectTiff(path: string, source: FileSource, flags: TiffFlags): Promise<ExitCode> {
  const size = source.sizeBytes;
  const check = await walkSource(source);
  const found = flags.header ? { ...check, voxels: null } : await survey(path, source, check, flags);
  const { voxels, ...said } = found;
  const { statistics = null, pictures = [], notes = [] } = voxels ?? {};
  const result = { path, size, ...said, notes, statistics, pictures };
  new Output(flags.json).result(result, () => describe(path, size, found));
  return check.verdict === 'accepted' ? EXIT.done : EXIT.failed;
}

async function survey(path: string, source: FileSource, check: TiffCheck, flags: TiffFlags): Promise<Found> {
  const decoded = check.verdict === 'accepted' ? await openTiff(toVoxelSource(source), source.sizeBytes) : null;
  if (!decoded) return { ...check, voxels: null };
  const { sizeBytes, overrides } = decoded;
  const signal = interruptible();
  const read = async (offset: number, target: Uint8Array) => {
    signal.throwIfAborted();
    await decoded.source.read(offset, target);
  };
  try {
    const header = new Uint8Array(1024);
    await read(0, header);
    const description = await describeMrc({ read }, parseHeader(header, sizeBytes), {
      sizeBytes,
      filename: source.name,
    });
    const choice = toPictureChoice(flags);
    const voxels = await surveyFile({ path, sizeBytes, source: { read } }, choice, overrides, description);
    const warnings = [...check.warnings, ...(voxels?.warnings ?? []), ...checkDecoded(decoded)];
    const statistics = voxels && completeDecoded(decoded, voxels.statistics);
    return { ...check, warnings, voxels: voxels && statistics && { ...voxels, statistics } };
  } catch (error) {
    if (!(error instanceof TiffDataError)) throw error;
    const damage: Finding<string> = { code: 'data_damaged', message: error.message };
    return { ...check, warnings: [...check.warnings, damage], voxels: null };
  }
}

function describe(path: string, size: number, { tiff, rejections, warnings, voxels }: Found): string[] {
  const rows = tiff ? describeTiff(tiff).map(([field, value]) => [field.replace('_', ' '), value]) : [];
  return [
    path,
    ...formatTable([
      ...rows,
      ['size', `${size} bytes (${formatBytes(size)})`],
      ...(voxels ? describeVoxels(voxels.statistics) : []),
    ]),
    ...rejections.map(({ message }) => `rejected: ${message}`),
    ...warnings.map(({ message }) => `warning: ${message}`),
    ...(voxels?.notes ?? []).map(({ message }) => `note: ${message}`),
    ...(voxels?.pictures ?? []).map((picture) => `written: ${picture}`),
  ];
}
