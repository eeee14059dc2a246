/**
 * The thread that analyzes stored MRC files while their bytes arrive, a chunk of each in turn. It also draws
 * pictures. Digests have priority, because senders wait for them.
 */
import { constants, platform, setPriority } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import {
  applyMdoc,
  checkDecoded,
  checkVoxels,
  completeDecoded,
  decideKind,
  defaultPreviews,
  describeMrc,
  giveKind,
  layoutOf,
  MRC_HEADER_BYTES,
  type MrcDescription,
  type MrcHeader,
  type MrcKind,
  type PreviewRequest,
  parseHeader,
  settleLayout,
  sumUpFile,
  TiffDataError,
  VoxelAnalysis,
  type VoxelLayout,
} from '@cryolift/mrc';
import { drawDefaults } from './default-pictures.ts';
import { drawPicture } from './drawing.ts';
import type { AdvanceJob, AnalysisMessage, AnalysisReport } from './messages.ts';
import type { AnalysisResult, Rendered } from './result.ts';
import type { AnalysisTarget } from './target.ts';
import { openAgain, openVoxelFile, pacedSource, type VoxelFile } from './voxel-file.ts';

const CHUNK_BYTES = 1024 * 1024;
/** The longest wait for digests before each chunk, so that an analysis ends under any load. */
const YIELD_MS = 20;

interface AnalysisJob {
  id: number;
  target: AnalysisTarget;
  limit: number;
  at: number;
  /** Of the MRC file that is read: that of the stored one, unless it is decoded. */
  sizeBytes: number;
  /** Open only while there are bytes to read. */
  file: VoxelFile | null;
  /** A caller waits for the result: the file is published, and its path is final. */
  isWanted: boolean;
  /** Null until the header has arrived, and when the voxels cannot be read. */
  analysis: { header: MrcHeader; layout: VoxelLayout; kind: MrcKind; pass: VoxelAnalysis } | null;
}

if (!parentPort) throw new Error('analysis-worker runs as a worker thread');
const port = parentPort;
/** 1 while digests are computed. */
const digesting = new Int32Array(workerData as SharedArrayBuffer);
// On Linux this applies only to the calling thread.
if (platform() === 'linux') setPriority(constants.priority.PRIORITY_LOW);
const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
const analyses = new Map<number, AnalysisJob>();
/** Abort controllers of the pictures that are being drawn. */
const drawings = new Map<number, AbortController>();
let working = false;
/** A message arrived during the work: it must check again before it pauses. */
let woken = false;

port.on('message', (message: AnalysisMessage) => {
  switch (message.kind) {
    case 'analyze': {
      const { job: id, target } = message;
      const { sizeBytes } = target;
      analyses.set(id, { id, target, limit: 0, at: 0, sizeBytes, file: null, isWanted: false, analysis: null });
      return;
    }
    case 'advance':
      advance(message);
      woken = true;
      if (!working) void work();
      return;
    case 'drop':
      void drop(message.job).then(() => report({ job: message.job, dropped: true }));
      return;
    case 'render':
      draw(message.job, message.target, message.request).then(
        (rendered) => report({ job: message.job, rendered }),
        (error: unknown) => report({ job: message.job, error: codeOf(error) }),
      );
      return;
    case 'cancel':
      drawings.get(message.job)?.abort(Object.assign(new Error('no caller waits for it'), { code: 'ECANCELED' }));
  }
});

function advance({ job, url, limit, isWanted, tilts }: AdvanceJob): void {
  const analyzing = analyses.get(job);
  if (!analyzing) return;
  // When the file is published meanwhile, the open descriptor stays valid.
  analyzing.target.url = url;
  analyzing.target.tilts = tilts;
  analyzing.limit = Math.max(analyzing.limit, limit);
  analyzing.isWanted ||= isWanted;
}

/** Reads one chunk of every file with available bytes, then the messages, until no work is left. */
async function work(): Promise<void> {
  working = true;
  for (let busy = true; busy || woken; ) {
    busy = false;
    woken = false;
    for (const analyzing of [...analyses.values()]) {
      // It may have been dropped while another one was concluded.
      if (!analyses.has(analyzing.id)) continue;
      try {
        if (hasSomething(analyzing)) await analyzeChunk(analyzing);
        // It may have been dropped while it was read.
        if (!analyses.has(analyzing.id)) continue;
        if (analyzing.isWanted && analyzing.at === analyzing.sizeBytes) await conclude(analyzing);
        if (analyses.has(analyzing.id) && hasSomething(analyzing)) busy = true;
      } catch (error) {
        if (!analyzing.isWanted && codeOf(error) === 'ENOENT') {
          // It was just published; the job that needs the result sends its new URL.
          analyzing.limit = analyzing.at;
          continue;
        }
        await drop(analyzing.id);
        if (error instanceof TiffDataError) report({ job: analyzing.id, analyzed: null, damage: error.message });
        else report({ job: analyzing.id, error: codeOf(error) });
      }
    }
    await setImmediate();
  }
  working = false;
}

/** The first read covers the whole header. */
function hasSomething({ at, limit, sizeBytes }: AnalysisJob): boolean {
  return at < Math.min(limit, sizeBytes) && (at > 0 || limit >= Math.min(MRC_HEADER_BYTES, sizeBytes));
}

async function analyzeChunk(analyzing: AnalysisJob): Promise<void> {
  Atomics.wait(digesting, 0, 1, YIELD_MS);
  const { target, at } = analyzing;
  analyzing.file ??= await openVoxelFile(target);
  const { file } = analyzing;
  if (file?.decoded) {
    // It is decoded only when it is published, and has all of its bytes then.
    analyzing.sizeBytes = file.sizeBytes;
    analyzing.limit = file.sizeBytes;
  }
  if (file) {
    const bytes = chunk.subarray(0, Math.min(CHUNK_BYTES, analyzing.limit - at));
    await file.source.read(at, bytes);
    // Already set when the file is read a second time.
    if (at === 0) analyzing.analysis ??= begin(bytes, target.filename, file);
    analyzing.analysis?.pass.add(at, bytes);
    analyzing.at = at + bytes.length;
  }
  // Without readable voxels there is nothing more to analyze.
  if (!analyzing.analysis) analyzing.at = analyzing.sizeBytes;
  if (analyzing.at >= analyzing.limit || !analyses.has(analyzing.id)) await closeFile(analyzing);
}

function begin(bytes: Uint8Array, filename: string, { sizeBytes, overrides }: VoxelFile): AnalysisJob['analysis'] {
  if (bytes.length < MRC_HEADER_BYTES) return null;
  const header = parseHeader(bytes, sizeBytes);
  const layout = layoutOf(header, sizeBytes, overrides);
  const { kind } = decideKind(header, filename, overrides?.kind);
  return layout && { header, layout, kind, pass: new VoxelAnalysis(layout, kind) };
}

async function conclude(analyzing: AnalysisJob): Promise<void> {
  const { id, target, analysis } = analyzing;
  if (analysis && (await settle(analyzing, analysis))) return;
  const analyzed = analysis && (await sumUp(target, analysis));
  if (!analyses.has(id)) return;
  await drop(id);
  const pictures = analyzed ? [...analyzed.previews, ...(analyzed.thumbnail ? [analyzed.thumbnail] : [])] : [];
  report(
    { job: id, analyzed },
    pictures.map(({ png }) => png.buffer as ArrayBuffer),
  );
}

/**
 * Without a statement in the header, the signedness of bytes is known only after the whole file was read.
 *
 * @returns true when the assumption was wrong and the file must be read again.
 */
async function settle(analyzing: AnalysisJob, analysis: NonNullable<AnalysisJob['analysis']>): Promise<boolean> {
  const { source } = await openAgain(analyzing.target);
  const layout = await settleLayout(pacedSource(source), analysis.layout).finally(() => source.close());
  const { isSigned } = analysis.layout;
  analysis.layout = layout;
  if (layout.isSigned === isSigned) return false;
  analysis.pass = new VoxelAnalysis(layout, analysis.kind);
  analyzing.at = 0;
  return true;
}

async function sumUp(
  target: AnalysisTarget,
  { header, layout, pass }: NonNullable<AnalysisJob['analysis']>,
): Promise<AnalysisResult> {
  const { description, file } = await describe(target, header);
  const { decoded, overrides } = file;
  const { geometry } = description;
  const { kind, tilts } = shownAs(overrides, target.tilts, layout, description);
  const requests = defaultPreviews({ ...layout, kind, geometry, tilts }, target.filename);
  const { ice, ...pictures } = await drawDefaults({ target, header: description.header, layout, pass }, requests);
  const summed = sumUpFile(pass, description.header, layout, kind, ice);
  const statistics = decoded ? completeDecoded(decoded, summed) : summed;
  const findings = [
    ...description.findings,
    ...checkVoxels(summed, description.header, kind).warnings,
    ...(decoded ? checkDecoded(decoded) : []),
  ];
  return { statistics, signedness: layout.signedness, description, findings, ...pictures };
}

/** By the headers, what the owner of the file says, and its `.mdoc` file. */
function shownAs(
  overrides: VoxelFile['overrides'],
  tilts: AnalysisTarget['tilts'],
  { nz }: VoxelLayout,
  description: MrcDescription,
) {
  const { kind, evidence } = overrides?.kind ? giveKind(overrides.kind) : description.kind;
  return applyMdoc({ nz, kind, kind_evidence: evidence, tilts: description.tilts }, { tilts: tilts ?? null });
}

async function describe(
  target: AnalysisTarget,
  header: MrcHeader,
): Promise<{ description: MrcDescription; file: VoxelFile }> {
  const file = await openAgain(target);
  const { source, sizeBytes } = file;
  const { filename } = target;
  const description = await describeMrc(pacedSource(source), header, { sizeBytes, filename }).finally(() =>
    source.close(),
  );
  return { description, file };
}

async function draw(job: number, target: AnalysisTarget, request: PreviewRequest): Promise<Rendered> {
  const controller = new AbortController();
  drawings.set(job, controller);
  return await drawPicture(target, request, controller.signal).finally(() => drawings.delete(job));
}

async function drop(id: number): Promise<void> {
  const analyzing = analyses.get(id);
  analyses.delete(id);
  if (analyzing) await closeFile(analyzing);
}

async function closeFile(analyzing: AnalysisJob): Promise<void> {
  const { file } = analyzing;
  analyzing.file = null;
  await file?.source.close();
}

function report(message: AnalysisReport, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}
