/** `cryolift inspect PATH`: prints the MRC header, the statistics of the voxels, and errors in both. */

import type { FileSource } from '@cryolift/client/node';
import {
  applyKind,
  applyMdoc,
  completeSummary,
  decideSignedness,
  describeMrc,
  hasFrames,
  isMdocName,
  isMrcName,
  listWords,
  MRC_HEADER_BYTES,
  type MrcDescription,
  type MrcHeader,
  type MrcOverrides,
  parseHeader,
} from '@cryolift/mrc';
import { type CompressedFile, openCompressed } from '../files/compressed.ts';
import { type Check, checkHeader, checkPrefix, readHeader } from '../files/mrc-check.ts';
import { openNamed } from '../files/open-named.ts';
import { startsAsTiff } from '../files/structure-check.ts';
import { type PictureFlags, surveyVoxels, toPictureChoice } from '../files/voxels.ts';
import { compareFiles } from '../inspect/diff.ts';
import { findSidecar, inspectMdoc } from '../inspect/mdoc.ts';
import { describeInspected, type Inspected } from '../inspect/text.ts';
import { inspectTiff } from '../inspect/tiff.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode, UsageError } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';

interface InspectFlags extends MrcOverrides, PictureFlags {
  json?: boolean;
  header?: boolean;
  diff?: boolean;
}

export async function inspect(path: string, other: string | undefined, flags: InspectFlags): Promise<ExitCode> {
  const { png, size: sizePx, contrast, range, slab, lowpass } = flags;
  if (png === undefined && (sizePx ?? contrast ?? range ?? slab ?? lowpass) !== undefined) {
    throw new UsageError('--size, --contrast, --range, --slab and --lowpass are for the pictures of --png');
  }
  if (flags.diff) {
    if (other === undefined) throw new UsageError('--diff needs two files: cryolift inspect --diff A B');
    return await compareFiles(path, other, flags);
  }
  if (other !== undefined) throw new UsageError('one file is inspected at a time; two are compared with --diff');
  if (isMdocName(path)) return await inspectMdoc(path, flags.json);
  const source = await openNamed(path);
  const size = source.sizeBytes;
  if (await startsAsTiff(source)) return await inspectTiff(path, source, flags).finally(() => source.close());
  const [inside, bytes] = await Promise.all([openCompressed(source), readHeader(source)]).catch(async (error) => {
    await source.close();
    throw error;
  });
  const header = bytes.length < MRC_HEADER_BYTES ? null : parseHeader(bytes, size);
  const description = await describe(source, inside ? null : header).finally(() => source.close());
  if (inside && flags.png !== undefined) {
    throw new UsageError(`--png: the file is compressed with ${inside.format}; decompress it first`);
  }
  const outside = checkHeader(bytes, size, source.name);
  const found = inside
    ? inspectInside(inside, isMrcName(source.name) ? outside.rejections : [], flags)
    : await inspectPlain(path, outside, description, flags);
  const { voxels, sidecar, ...said } = found;
  const mdoc = sidecar && { path: sidecar.path, ...sidecar.summary };
  const { statistics = null, pictures = [] } = voxels ?? {};
  const words = flags.header && header && !inside ? { header: listWords(bytes, header.byteOrder) } : {};
  const result = { path, size, ...said, mdoc, statistics, pictures, ...words };
  new Output(flags.json).result(result, () => describeInspected(path, size, found, words.header ?? []));
  return found.verdict === 'accepted' ? EXIT.done : EXIT.failed;
}

/** Null without a whole header. */
async function describe(source: FileSource, header: MrcHeader | null): Promise<MrcDescription | null> {
  if (!header) return null;
  const { sizeBytes, name: filename } = source;
  const read = async (offsetBytes: number, target: Uint8Array) =>
    void (await source.read(offsetBytes, target as Uint8Array<ArrayBuffer>));
  return await describeMrc({ read }, header, { sizeBytes, filename });
}

async function inspectPlain(
  path: string,
  check: Check,
  description: MrcDescription | null,
  flags: InspectFlags,
): Promise<Inspected> {
  const { header: isHeaderOnly, kind, mode0 } = flags;
  const choice = toPictureChoice(flags);
  const overrides = { ...(kind && { kind }), ...(mode0 && { mode0 }) };
  const isRead = !isHeaderOnly && description !== null;
  const completed = check.mrc && description ? completeSummary(check.mrc, description) : check.mrc;
  const given = completed && applyKind(completed, overrides);
  const sidecar = given && hasFrames(given.kind) ? await findSidecar(path) : null;
  const mrc = given && sidecar ? applyMdoc(given, sidecar.summary) : given;
  const shownAs = { ...overrides, ...(mrc && sidecar && { kind: mrc.kind }) };
  const described = description && { ...description, tilts: mrc?.tilts ?? description.tilts };
  const voxels = isRead && described ? await surveyVoxels(path, choice, shownAs, described, interruptible()) : null;
  return {
    ...check,
    mrc,
    sidecar,
    warnings: [...check.warnings, ...(mrc ? (description?.findings ?? []) : []), ...(voxels?.warnings ?? [])],
    notes: [...check.notes, ...(voxels?.notes ?? [])],
    signedness: voxels ? voxels.signedness : mrc && description && decideSignedness(description.header, mode0),
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
  const nothing = { notes: [], warnings: [], signedness: null, compressed: format, voxels: null, sidecar: null };
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
