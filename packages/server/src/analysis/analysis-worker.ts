/**
 * The thread that analyzes MRC files where they are stored: behind their arriving bytes, a chunk of each in turn. It also draws
 * pictures. It yields to the digests, which senders wait for.
 */
import { constants, platform, setPriority } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import {
  compareStatistics,
  decideKind,
  defaultPreviews,
  encodePng,
  layoutOf,
  MRC_HEADER_BYTES,
  type MrcHeader,
  type MrcKind,
  type PreviewRequest,
  parseHeader,
  type Raster,
  renderPreview,
  settleLayout,
  toPicture,
  VoxelAnalysis,
  type VoxelLayout,
  type VoxelSource,
} from '@cryolift/mrc';
import type { ByteSource } from '../storage/byte-source.ts';
import { openByteSource } from '../storage/open-byte-source.ts';
import type { AdvanceJob, AnalysisMessage, AnalysisReport } from './messages.ts';
import type { AnalysisResult, Rendered } from './result.ts';
import type { AnalysisTarget } from './target.ts';

const CHUNK_BYTES = 1024 * 1024;
/** So long it waits for the digests before each chunk, at most: it must come to an end under any load. */
const YIELD_MS = 20;

interface AnalysisJob {
  id: number;
  target: AnalysisTarget;
  limit: number;
  at: number;
  /** Open only while there is something to read. */
  source: ByteSource | null;
  /** Somebody waits for what was found: the file is published, and its path stays. */
  isWanted: boolean;
  /** Null until the header is there, and when the voxels cannot be read. */
  analysis: { header: MrcHeader; layout: VoxelLayout; kind: MrcKind; pass: VoxelAnalysis } | null;
}

if (!parentPort) throw new Error('analysis-worker runs as a worker thread');
const port = parentPort;
/** 1 while the digests have something to do. */
const digesting = new Int32Array(workerData as SharedArrayBuffer);
// On Linux this is of the calling thread alone.
if (platform() === 'linux') setPriority(constants.priority.PRIORITY_LOW);
const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
const analyses = new Map<number, AnalysisJob>();
/** Of the pictures that are being drawn. */
const drawings = new Map<number, AbortController>();
let working = false;
/** Something came while it worked: it must look once more before it rests. */
let woken = false;

port.on('message', (message: AnalysisMessage) => {
  switch (message.kind) {
    case 'analyze': {
      const { job: id, target } = message;
      analyses.set(id, { id, target, limit: 0, at: 0, source: null, isWanted: false, analysis: null });
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
      drawings.get(message.job)?.abort(Object.assign(new Error('nobody waits for it'), { code: 'ECANCELED' }));
  }
});

function advance({ job, url, limit, isWanted }: AdvanceJob): void {
  const analyzing = analyses.get(job);
  if (!analyzing) return;
  // A file that was published meanwhile stays the one that is open here.
  analyzing.target.url = url;
  analyzing.limit = Math.max(analyzing.limit, limit);
  analyzing.isWanted ||= isWanted;
}

/** One chunk of every file that has bytes to read, then a look at the messages, until nothing is left to do. */
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
        if (analyzing.isWanted && analyzing.at === analyzing.target.sizeBytes) await conclude(analyzing);
        if (analyses.has(analyzing.id) && hasSomething(analyzing)) busy = true;
      } catch (error) {
        if (!analyzing.isWanted && codeOf(error) === 'ENOENT') {
          // It was published a moment ago; the job that wants the result gives its new URL.
          analyzing.limit = analyzing.at;
          continue;
        }
        await drop(analyzing.id);
        report({ job: analyzing.id, error: codeOf(error) });
      }
    }
    await setImmediate();
  }
  working = false;
}

/** The first look is at the whole header. */
function hasSomething({ at, limit, target }: AnalysisJob): boolean {
  return at < limit && (at > 0 || limit >= Math.min(MRC_HEADER_BYTES, target.sizeBytes));
}

async function analyzeChunk(analyzing: AnalysisJob): Promise<void> {
  Atomics.wait(digesting, 0, 1, YIELD_MS);
  const { target, at, limit } = analyzing;
  analyzing.source ??= await openByteSource(target.url);
  const bytes = chunk.subarray(0, Math.min(CHUNK_BYTES, limit - at));
  await analyzing.source.read(at, bytes);
  // It is there already when all is read a second time.
  if (at === 0) analyzing.analysis ??= begin(bytes, target);
  analyzing.analysis?.pass.add(at, bytes);
  // Where no voxel can be read there is nothing more to look at.
  analyzing.at = analyzing.analysis ? at + bytes.length : target.sizeBytes;
  if (analyzing.at >= analyzing.limit || !analyses.has(analyzing.id)) await closeSource(analyzing);
}

function begin(bytes: Uint8Array, { sizeBytes, filename, overrides }: AnalysisTarget): AnalysisJob['analysis'] {
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
  report(
    { job: id, analyzed },
    analyzed?.previews.map(({ png }) => png.buffer as ArrayBuffer),
  );
}

/**
 * Only a whole file tells whether bytes are signed of which the header does not say it.
 *
 * @returns true when they are other than was thought: all is to be read again.
 */
async function settle(analyzing: AnalysisJob, analysis: NonNullable<AnalysisJob['analysis']>): Promise<boolean> {
  const source = await openByteSource(analyzing.target.url);
  const layout = await settleLayout(voxelsOf(source), analysis.layout).finally(() => source.close());
  const { isSigned } = analysis.layout;
  analysis.layout = layout;
  if (layout.isSigned === isSigned) return false;
  analysis.pass = new VoxelAnalysis(layout, analysis.kind);
  analyzing.at = 0;
  return true;
}

async function sumUp(
  target: AnalysisTarget,
  { header, layout, kind, pass }: NonNullable<AnalysisJob['analysis']>,
): Promise<AnalysisResult> {
  const statistics = pass.statistics();
  const previews: AnalysisResult['previews'] = [];
  for (const request of defaultPreviews({ ...layout, kind }, target.filename)) {
    const raster = rasterOf(pass, request);
    const png = raster
      ? await encodePng(toPicture(raster, layout, request))
      : await drawDefault(target, header, layout, request);
    if (png) previews.push({ request, png });
  }
  return { statistics, signedness: layout.signedness, findings: compareStatistics(header, statistics), previews };
}

/** What the pass has seen anyway; null: to be read again. */
function rasterOf(pass: VoxelAnalysis, { kind, axis }: PreviewRequest): Raster | null {
  return kind === 'section' ? pass.section(axis) : kind === 'average' ? pass.average() : null;
}

async function drawDefault(
  target: AnalysisTarget,
  header: MrcHeader,
  layout: VoxelLayout,
  request: PreviewRequest,
): Promise<Uint8Array | null> {
  const source = await openByteSource(target.url);
  try {
    const outcome = await renderPreview(voxelsOf(source), header, layout, request);
    return outcome.kind === 'picture' ? await encodePng(outcome.picture) : null;
  } finally {
    await source.close();
  }
}

async function draw(job: number, target: AnalysisTarget, request: PreviewRequest): Promise<Rendered> {
  const source = await openByteSource(target.url);
  const controller = new AbortController();
  drawings.set(job, controller);
  try {
    const head = Buffer.alloc(Math.min(MRC_HEADER_BYTES, target.sizeBytes));
    await source.read(0, head);
    const header = head.length < MRC_HEADER_BYTES ? null : parseHeader(head, target.sizeBytes);
    const layout = header && layoutOf(header, target.sizeBytes, target.overrides);
    if (!header || !layout) {
      return { kind: 'refused', code: 'not_applicable', message: 'The voxels of this file cannot be read.' };
    }
    const outcome = await renderPreview(voxelsOf(source, controller.signal), header, layout, request);
    if (outcome.kind === 'refused') return outcome;
    return { kind: 'png', png: await encodePng(outcome.picture) };
  } finally {
    drawings.delete(job);
    await source.close();
  }
}

/** Reading lets other work of this thread come in between, and ends with `signal`. */
function voxelsOf(source: ByteSource, signal?: AbortSignal): VoxelSource {
  return {
    async read(offsetBytes, target) {
      signal?.throwIfAborted();
      await source.read(offsetBytes, target);
      await setImmediate();
    },
  };
}

async function drop(id: number): Promise<void> {
  const analyzing = analyses.get(id);
  analyses.delete(id);
  if (analyzing) await closeSource(analyzing);
}

async function closeSource(analyzing: AnalysisJob): Promise<void> {
  const { source } = analyzing;
  analyzing.source = null;
  await source?.close();
}

function report(message: AnalysisReport, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}
