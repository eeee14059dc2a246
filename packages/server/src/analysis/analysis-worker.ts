/**
 * The thread that analyzes stored MRC files while their bytes arrive, a chunk of each in turn. It also draws
 * pictures. Digests have priority, because senders wait for them.
 */
import { constants, platform, setPriority } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import {
  checkVoxels,
  collectedPicture,
  decideKind,
  defaultPreviews,
  describeMrc,
  encodePng,
  type IcePeak,
  layoutOf,
  MRC_HEADER_BYTES,
  type MrcDescription,
  type MrcHeader,
  type MrcKind,
  type Picture,
  type PreviewRequest,
  parseHeader,
  renderPreview,
  settleLayout,
  sumUpFile,
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
/** The longest wait for digests before each chunk, so that an analysis ends under any load. */
const YIELD_MS = 20;

interface AnalysisJob {
  id: number;
  target: AnalysisTarget;
  limit: number;
  at: number;
  /** Open only while there are bytes to read. */
  source: ByteSource | null;
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
      drawings.get(message.job)?.abort(Object.assign(new Error('no caller waits for it'), { code: 'ECANCELED' }));
  }
});

function advance({ job, url, limit, isWanted }: AdvanceJob): void {
  const analyzing = analyses.get(job);
  if (!analyzing) return;
  // When the file is published meanwhile, the open descriptor stays valid.
  analyzing.target.url = url;
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
        if (analyzing.isWanted && analyzing.at === analyzing.target.sizeBytes) await conclude(analyzing);
        if (analyses.has(analyzing.id) && hasSomething(analyzing)) busy = true;
      } catch (error) {
        if (!analyzing.isWanted && codeOf(error) === 'ENOENT') {
          // It was just published; the job that needs the result sends its new URL.
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

/** The first read covers the whole header. */
function hasSomething({ at, limit, target }: AnalysisJob): boolean {
  return at < limit && (at > 0 || limit >= Math.min(MRC_HEADER_BYTES, target.sizeBytes));
}

async function analyzeChunk(analyzing: AnalysisJob): Promise<void> {
  Atomics.wait(digesting, 0, 1, YIELD_MS);
  const { target, at, limit } = analyzing;
  analyzing.source ??= await openByteSource(target.url);
  const bytes = chunk.subarray(0, Math.min(CHUNK_BYTES, limit - at));
  await analyzing.source.read(at, bytes);
  // Already set when the file is read a second time.
  if (at === 0) analyzing.analysis ??= begin(bytes, target);
  analyzing.analysis?.pass.add(at, bytes);
  // Without readable voxels there is nothing more to analyze.
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
 * Without a statement in the header, the signedness of bytes is known only after the whole file was read.
 *
 * @returns true when the assumption was wrong and the file must be read again.
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
  { header, layout, pass }: NonNullable<AnalysisJob['analysis']>,
): Promise<AnalysisResult> {
  const description = await describe(target, header);
  const kind = target.overrides?.kind ?? description.kind.kind;
  const { geometry, tilts } = description;
  const previews: AnalysisResult['previews'] = [];
  let ice: IcePeak | null = null;
  for (const request of defaultPreviews({ ...layout, kind, geometry, tilts }, target.filename)) {
    const picture =
      collectedPicture(pass, layout, request) ?? (await drawDefault(target, description.header, layout, request));
    ice ??= picture?.ice ?? null;
    if (picture) previews.push({ request, png: await encodePng(picture) });
  }
  const statistics = sumUpFile(pass, description.header, layout, kind, ice);
  const findings = [...description.findings, ...checkVoxels(statistics, description.header, kind).warnings];
  return { statistics, signedness: layout.signedness, description, findings, previews };
}

async function describe(target: AnalysisTarget, header: MrcHeader): Promise<MrcDescription> {
  const source = await openByteSource(target.url);
  return await describeMrc(voxelsOf(source), header, target).finally(() => source.close());
}

async function drawDefault(
  target: AnalysisTarget,
  header: MrcHeader,
  layout: VoxelLayout,
  request: PreviewRequest,
): Promise<Picture | null> {
  const source = await openByteSource(target.url);
  try {
    const outcome = await renderPreview(voxelsOf(source), header, layout, request);
    return outcome.kind === 'picture' ? outcome.picture : null;
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
    const stored = head.length < MRC_HEADER_BYTES ? null : parseHeader(head, target.sizeBytes);
    const layout = stored && layoutOf(stored, target.sizeBytes, target.overrides);
    if (!stored || !layout) {
      return { kind: 'refused', code: 'not_applicable', message: 'The voxels of this file cannot be read.' };
    }
    const voxels = voxelsOf(source, controller.signal);
    const { header } = await describeMrc(voxels, stored, target);
    const outcome = await renderPreview(voxels, header, layout, request);
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
