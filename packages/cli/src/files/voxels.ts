/** Statistics and pictures of a local MRC file. */
import type { FileHandle } from 'node:fs/promises';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cutName, naming, openRegularFile, retryWhileHeld } from '@cryolift/client/node';
import {
  type Contrast,
  checkVoxels,
  collectedPicture,
  defaultPreviews,
  encodePng,
  type FileStatistics,
  type Finding,
  type IcePeak,
  layoutOf,
  MRC_HEADER_BYTES,
  type MrcDescription,
  type MrcHeader,
  type MrcKind,
  type MrcOverrides,
  type Picture,
  type PreviewRequest,
  parseHeader,
  renderPreview,
  renderSpectrumAndProfile,
  type SignednessDecision,
  type SpectrumRange,
  settleLayout,
  sumUpFile,
  VoxelAnalysis,
  type VoxelLayout,
  type VoxelSource,
} from '@cryolift/mrc';
import { UsageError } from '../process/exit.ts';

const CHUNK_BYTES = 4 * 1024 * 1024;
const PICTURE_PX = 1024;
/** The limit of most file systems. */
const MAX_NAME_BYTES = 255;

export interface Voxels {
  readonly statistics: FileStatistics;
  /** How the bytes of mode 0 were read; null for other modes. */
  readonly signedness: SignednessDecision | null;
  readonly warnings: readonly Finding<string>[];
  readonly notes: readonly Finding<string>[];
  /** The paths of the pictures that were written. */
  readonly pictures: readonly string[];
}

/** What the command line says of pictures. */
export interface PictureFlags {
  /** Their folder; true: the current folder. */
  png?: string | true | undefined;
  /** Pixels of their long side. */
  size?: number | undefined;
  contrast?: Contrast | undefined;
  /** Of a spectrum. */
  range?: SpectrumRange | undefined;
  /** Sections of a volume that are averaged. */
  slab?: number | undefined;
  /** Å */
  lowpass?: number | undefined;
}

/** @returns null when none are asked for. */
export function toPictureChoice(flags: PictureFlags): PictureChoice | null {
  const { png, size, contrast, range, slab, lowpass } = flags;
  if (png === undefined) return null;
  return { folder: png === true ? '.' : png, sizePx: size, contrast, range, slab, lowPass: lowpass };
}

/** The pictures to write. */
export interface PictureChoice {
  /** Where they are written. */
  readonly folder: string;
  readonly sizePx: number | undefined;
  readonly contrast: Contrast | undefined;
  /** Of spectra. */
  readonly range: SpectrumRange | undefined;
  /** Of volumes: sections that are averaged. */
  readonly slab: number | undefined;
  /** Å; of sections, averages and montages. */
  readonly lowPass: number | undefined;
}

/** A file whose voxels are read: an MRC file, or a decoded one. */
export interface Readable {
  readonly path: string;
  readonly sizeBytes: number;
  readonly source: VoxelSource;
}

/**
 * Reads all voxels of a file once. For a montage and a spectrum, some sections or parts of them are read again.
 *
 * @param choice where pictures are written, in a folder that is made when it is missing. Null: none.
 * @param description what the headers of the file say.
 * @returns null when the voxels cannot be read.
 * @throws SourceError, the system's errors, and `signal`'s reason.
 */
export async function surveyVoxels(
  path: string,
  choice: PictureChoice | null,
  overrides: MrcOverrides,
  description: MrcDescription,
  signal: AbortSignal,
): Promise<Voxels | null> {
  const { handle, stats } = await openRegularFile(path, signal);
  const file = { path, sizeBytes: stats.size, source: sourceOf(handle, signal) };
  return await surveyFile(file, choice, overrides, description).finally(() => handle.close());
}

/** As `surveyVoxels`, of an open file. */
export async function surveyFile(
  { path, sizeBytes, source }: Readable,
  choice: PictureChoice | null,
  overrides: MrcOverrides,
  description: MrcDescription,
): Promise<Voxels | null> {
  if (choice) await naming(choice.folder, () => mkdir(choice.folder, { recursive: true }));
  const head = new Uint8Array(Math.min(MRC_HEADER_BYTES, sizeBytes));
  await source.read(0, head);
  if (head.length < MRC_HEADER_BYTES) return null;
  const header = parseHeader(head, sizeBytes);
  const said = layoutOf(header, sizeBytes, overrides);
  if (!said) return null;
  const layout = await settleLayout(source, said);
  const kind = overrides.kind ?? description.kind.kind;
  const sizePx = choice?.sizePx ?? PICTURE_PX;
  const analysis = new VoxelAnalysis(layout, kind, choice ? sizePx : 1);
  const chunk = new Uint8Array(CHUNK_BYTES);
  const end = layout.dataOffset + layout.dataBytes;
  for (let at = layout.dataOffset; at < end; at += chunk.length) {
    const bytes = chunk.subarray(0, Math.min(chunk.length, end - at));
    await source.read(at, bytes);
    analysis.add(at, bytes);
  }
  const shown = { ...description, kind };
  const drawn = choice ? await writePictures(path, choice, sizePx, source, layout, shown, analysis) : null;
  const statistics = sumUpFile(analysis, description.header, layout, kind, drawn?.ice ?? null);
  const { warnings, notes } = checkVoxels(statistics, description.header, kind);
  return { statistics, signedness: layout.signedness, warnings, notes, pictures: drawn?.written ?? [] };
}

async function writePictures(
  path: string,
  { folder, contrast, range, slab, lowPass }: PictureChoice,
  sizePx: number,
  source: VoxelSource,
  layout: VoxelLayout,
  { header, kind, geometry, tilts }: Pick<MrcDescription, 'header' | 'geometry' | 'tilts'> & { kind: MrcKind },
  analysis: VoxelAnalysis,
): Promise<{ written: string[]; ice: IcePeak | null }> {
  const written: string[] = [];
  let ice: IcePeak | null = null;
  const filename = basename(path);
  const isVolume = kind === 'volume' || kind === 'volume_stack';
  for (const preview of defaultPreviews({ ...layout, kind, geometry, tilts }, filename)) {
    const request = {
      ...preview,
      sizePx,
      ...(contrast && { contrast }),
      ...(range && { range }),
      ...(slab && isVolume && { slab }),
      ...(lowPass && { lowPass }),
    };
    for (const [name, picture] of await drawAll(source, header, layout, request, analysis)) {
      ice ??= picture.ice ?? null;
      const ending = `.${name}.png`;
      const target = join(folder, `${cutName(filename, MAX_NAME_BYTES - ending.length)}${ending}`);
      const png = await encodePng(picture);
      await naming(target, () => retryWhileHeld(() => writeFile(target, png)));
      written.push(target);
    }
  }
  return { written, ice };
}

/** Pictures with their names: the one that is asked for, and beside a spectrum its rotational average. */
async function drawAll(
  source: VoxelSource,
  header: MrcHeader,
  layout: VoxelLayout,
  request: PreviewRequest,
  analysis: VoxelAnalysis,
): Promise<(readonly [string, Picture])[]> {
  if (request.kind === 'spectrum') {
    const both = await renderSpectrumAndProfile(source, header, layout, request);
    return both ? [['spectrum', both.spectrum] as const, ['profile', both.profile] as const] : [];
  }
  const collected = collectedPicture(analysis, layout, request);
  if (collected) return [[nameOf(request), collected]];
  const outcome = await renderPreview(source, header, layout, request);
  if (outcome.kind === 'picture') return [[nameOf(request), outcome.picture]];
  // Without it there would be a picture.
  if (request.lowPass !== undefined) throw new UsageError(`--lowpass: ${outcome.message}`);
  return [];
}

function nameOf({ kind, axis }: PreviewRequest): string {
  return kind === 'section' ? `section-${axis}` : kind;
}

function sourceOf(handle: FileHandle, signal: AbortSignal): VoxelSource {
  return {
    async read(offsetBytes, target) {
      signal.throwIfAborted();
      for (let done = 0; done < target.length; ) {
        const read = () => handle.read(target, done, target.length - done, offsetBytes + done);
        const { bytesRead } = await retryWhileHeld(read, signal);
        if (bytesRead === 0) throw new Error('the file has become shorter while it was read');
        done += bytesRead;
      }
    },
  };
}
