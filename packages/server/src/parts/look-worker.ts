/**
 * A thread that looks at MRC files where they lie: surveys them behind their arriving bytes, a chunk of each in turn, and
 * draws pictures. Nothing waits for it, so it yields to everything that somebody waits for.
 */
import { closeSync, openSync, readSync } from 'node:fs';
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
import type { AdvanceJob, LookMessage, LookReport, Seen } from './look-message.ts';
import type { Rendered, Surveyed } from './store.ts';

const CHUNK_BYTES = 1024 * 1024;
/** So long it waits for the digests before each chunk, at most: it must come to an end under any load. */
const YIELD_MS = 20;

interface Surveying {
  id: number;
  seen: Seen;
  limit: number;
  at: number;
  /** Open only while there is something to read. */
  fd: number | null;
  /** Somebody waits for what was found: the file is published, and its path stays. */
  isWanted: boolean;
  /** Null until the header is there, and when the voxels cannot be read. */
  survey: { header: MrcHeader; layout: VoxelLayout; kind: MrcKind; pass: VoxelAnalysis } | null;
}

if (!parentPort) throw new Error('look-worker runs as a worker thread');
const port = parentPort;
/** 1 while the digests have something to do. */
const digesting = new Int32Array(workerData as SharedArrayBuffer);
// On Linux this is of the calling thread alone.
if (platform() === 'linux') setPriority(constants.priority.PRIORITY_LOW);
const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
const surveys = new Map<number, Surveying>();
/** Of the pictures that are being drawn. */
const drawings = new Map<number, AbortController>();
let working = false;
/** Something came while it worked: it must look once more before it rests. */
let woken = false;

port.on('message', (message: LookMessage) => {
  switch (message.kind) {
    case 'survey': {
      const { job: id, seen } = message;
      surveys.set(id, { id, seen, limit: 0, at: 0, fd: null, isWanted: false, survey: null });
      return;
    }
    case 'advance':
      advance(message);
      woken = true;
      if (!working) void work();
      return;
    case 'drop':
      drop(message.job);
      report({ job: message.job, dropped: true });
      return;
    case 'render':
      draw(message.job, message.seen, message.request).then(
        (rendered) => report({ job: message.job, rendered }),
        (error: unknown) => report({ job: message.job, error: codeOf(error) }),
      );
      return;
    case 'cancel':
      drawings.get(message.job)?.abort(Object.assign(new Error('nobody waits for it'), { code: 'ECANCELED' }));
  }
});

function advance({ job, path, limit, isWanted }: AdvanceJob): void {
  const surveying = surveys.get(job);
  if (!surveying) return;
  // A file that was published meanwhile stays the one that is open here.
  surveying.seen.path = path;
  surveying.limit = Math.max(surveying.limit, limit);
  surveying.isWanted ||= isWanted;
}

/** One chunk of every file that has bytes to read, then a look at the messages, until nothing is left to do. */
async function work(): Promise<void> {
  working = true;
  for (let busy = true; busy || woken; ) {
    busy = false;
    woken = false;
    for (const surveying of [...surveys.values()]) {
      // It may have been dropped while another one was concluded.
      if (!surveys.has(surveying.id)) continue;
      try {
        if (hasSomething(surveying)) lookAtChunk(surveying);
        if (surveying.isWanted && surveying.at === surveying.seen.sizeBytes) await conclude(surveying);
        if (surveys.has(surveying.id) && hasSomething(surveying)) busy = true;
      } catch (error) {
        if (!surveying.isWanted && codeOf(error) === 'ENOENT') {
          // It was published a moment ago; whoever wants the survey will say where it lies now.
          surveying.limit = surveying.at;
          continue;
        }
        drop(surveying.id);
        report({ job: surveying.id, error: codeOf(error) });
      }
    }
    await setImmediate();
  }
  working = false;
}

/** The first look is at the whole header. */
function hasSomething({ at, limit, seen }: Surveying): boolean {
  return at < limit && (at > 0 || limit >= Math.min(MRC_HEADER_BYTES, seen.sizeBytes));
}

function lookAtChunk(surveying: Surveying): void {
  Atomics.wait(digesting, 0, 1, YIELD_MS);
  const { seen, at, limit } = surveying;
  surveying.fd ??= openSync(seen.path, 'r');
  const bytes = chunk.subarray(0, Math.min(CHUNK_BYTES, limit - at));
  readFully(surveying.fd, bytes, at);
  // It is there already when all is read a second time.
  if (at === 0) surveying.survey ??= begin(bytes, seen);
  surveying.survey?.pass.add(at, bytes);
  // Where no voxel can be read there is nothing more to look at.
  surveying.at = surveying.survey ? at + bytes.length : seen.sizeBytes;
  if (surveying.at >= surveying.limit) shut(surveying);
}

function begin(bytes: Uint8Array, { sizeBytes, filename, overrides }: Seen): Surveying['survey'] {
  if (bytes.length < MRC_HEADER_BYTES) return null;
  const header = parseHeader(bytes, sizeBytes);
  const layout = layoutOf(header, sizeBytes, overrides);
  const { kind } = decideKind(header, filename, overrides?.kind);
  return layout && { header, layout, kind, pass: new VoxelAnalysis(layout, kind) };
}

async function conclude(surveying: Surveying): Promise<void> {
  const { id, seen, survey } = surveying;
  if (survey && (await settle(surveying, survey))) return;
  const surveyed = survey && (await sumUp(seen, survey));
  if (!surveys.has(id)) return;
  drop(id);
  report(
    { job: id, surveyed },
    surveyed?.previews.map(({ png }) => png.buffer as ArrayBuffer),
  );
}

/**
 * Only a whole file tells whether bytes are signed of which the header does not say it.
 *
 * @returns true when they are other than was thought: all is to be read again.
 */
async function settle(surveying: Surveying, survey: NonNullable<Surveying['survey']>): Promise<boolean> {
  const fd = openSync(surveying.seen.path, 'r');
  const layout = await settleLayout(sourceOf(fd), survey.layout).finally(() => closeSync(fd));
  const { isSigned } = survey.layout;
  survey.layout = layout;
  if (layout.isSigned === isSigned) return false;
  survey.pass = new VoxelAnalysis(layout, survey.kind);
  surveying.at = 0;
  return true;
}

async function sumUp(seen: Seen, { header, layout, kind, pass }: NonNullable<Surveying['survey']>): Promise<Surveyed> {
  const statistics = pass.statistics();
  const previews: Surveyed['previews'] = [];
  for (const request of defaultPreviews({ ...layout, kind }, seen.filename)) {
    const raster = rasterOf(pass, request);
    const png = raster
      ? await encodePng(toPicture(raster, layout, request))
      : await drawDefault(seen, header, layout, request);
    if (png) previews.push({ request, png });
  }
  return { statistics, signedness: layout.signedness, findings: compareStatistics(header, statistics), previews };
}

/** What the pass has seen anyway; null: to be read again. */
function rasterOf(pass: VoxelAnalysis, { kind, axis }: PreviewRequest): Raster | null {
  return kind === 'section' ? pass.section(axis) : kind === 'average' ? pass.average() : null;
}

async function drawDefault(
  seen: Seen,
  header: MrcHeader,
  layout: VoxelLayout,
  request: PreviewRequest,
): Promise<Uint8Array | null> {
  const fd = openSync(seen.path, 'r');
  try {
    const outcome = await renderPreview(sourceOf(fd), header, layout, request);
    return outcome.kind === 'picture' ? await encodePng(outcome.picture) : null;
  } finally {
    closeSync(fd);
  }
}

async function draw(job: number, seen: Seen, request: PreviewRequest): Promise<Rendered> {
  const fd = openSync(seen.path, 'r');
  const controller = new AbortController();
  drawings.set(job, controller);
  try {
    const head = Buffer.alloc(Math.min(MRC_HEADER_BYTES, seen.sizeBytes));
    readFully(fd, head, 0);
    const header = head.length < MRC_HEADER_BYTES ? null : parseHeader(head, seen.sizeBytes);
    const layout = header && layoutOf(header, seen.sizeBytes, seen.overrides);
    if (!header || !layout) {
      return { kind: 'refused', code: 'not_applicable', message: 'The voxels of this file cannot be read.' };
    }
    const outcome = await renderPreview(sourceOf(fd, controller.signal), header, layout, request);
    if (outcome.kind === 'refused') return outcome;
    return { kind: 'png', png: await encodePng(outcome.picture) };
  } finally {
    drawings.delete(job);
    closeSync(fd);
  }
}

/** Reading lets other work of this thread come in between, and ends with `signal`. */
function sourceOf(fd: number, signal?: AbortSignal): VoxelSource {
  return {
    async read(offsetBytes, target) {
      signal?.throwIfAborted();
      readFully(fd, target, offsetBytes);
      await setImmediate();
    },
  };
}

function readFully(fd: number, target: Uint8Array, offsetBytes: number): void {
  for (let done = 0; done < target.length; ) {
    const count = readSync(fd, target, done, target.length - done, offsetBytes + done);
    if (count === 0) throw Object.assign(new Error('the file is shorter than its record says'), { code: 'ENODATA' });
    done += count;
  }
}

function drop(id: number): void {
  const surveying = surveys.get(id);
  surveys.delete(id);
  if (surveying) shut(surveying);
}

function shut(surveying: Surveying): void {
  if (surveying.fd !== null) closeSync(surveying.fd);
  surveying.fd = null;
}

function report(message: LookReport, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer);
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}
