/** Finding the session of an earlier run, or opening a new one. */
import { isMrcName } from '@cryolift/mrc';
import type { InitRequest, Limits, Session } from '@cryolift/protocol/messages';
import { MIB } from '@cryolift/protocol/plan';
import type { Api, CallOptions } from './api.ts';
import { ForeignReplyError, ServerError } from './failures.ts';
import type { Memory, Source } from './ports.ts';
import { assertRemembered, fingerprint, fingerprintAt } from './same-file.ts';
import type { UploadOptions } from './uploader.ts';

/** The server needs 1,024 to judge an MRC file. */
const HEADER_BYTES = 4096;
const WISHED_PARTS = 128;
const LEAST_PART_BYTES = MIB;
const MOST_WISHED_BYTES = 4 * MIB;
/** Sessions that an upload can go on with; a completed one only lacks the news of it. */
const OF_USE: readonly Session['status'][] = ['pending', 'uploading', 'verifying', 'completed'];
const CANCELLABLE: readonly Session['status'][] = ['pending', 'uploading', 'verifying', 'failed'];

export interface Opening {
  readonly api: Api;
  readonly memory: Memory;
  /** As uploads are remembered by. */
  readonly server: string;
  readonly source: Source;
  readonly options: UploadOptions;
  /** What goes with every call. */
  readonly call: CallOptions;
  /** Repeats a call that is safe to repeat, as long as its failure can pass. */
  retry<Result>(call: () => Promise<Result>): Promise<Result>;
}

/**
 * Finds this file's session by what is remembered of it, then by its fingerprint, or opens one.
 *
 * @throws SourceError `source_changed` when the file is not as it was when the remembered session began.
 */
export async function findOrOpenSession(opening: Opening): Promise<Session> {
  const { memory, server, source, options } = opening;
  const print = await fingerprint(source);
  const remembered = await memory.load(server, source.location);
  const found = remembered && (await findSession(opening, remembered.uploadId));
  if (remembered && found && options.restart) {
    await cancel(opening, found);
  } else if (remembered && found && OF_USE.includes(found.status) && found.size === remembered.sizeBytes) {
    assertRemembered(source, print, remembered);
    return found;
  }
  return await openSession(opening, print);
}

/** @param isSecond the first one came out damaged: the request, or its answer. */
async function openSession(opening: Opening, print: string, isSecond = false): Promise<Session> {
  const { api, memory, server, source, options, call, retry } = opening;
  const request = await describe(opening, await fingerprintAt(options.metadata?.path, print));
  // For a lost reply within this run; after it the fingerprint finds the session.
  const idempotencyKey = crypto.randomUUID();
  const session = await retry(() => api.init(request, idempotencyKey, call));
  if (!isOf(session, source)) {
    await cancel(opening, session);
    if (isSecond) throw new ForeignReplyError('the server opened a session for another file than this one');
    return await openSession(opening, print, true);
  }
  if (session.resumed && options.restart) {
    await cancel(opening, session);
    return await openSession(opening, print);
  }
  const { location, sizeBytes, modifiedMs } = source;
  await memory.save({ server, location, sizeBytes, modifiedMs, fingerprint: print, uploadId: session.upload_id });
  return session;
}

/** One damaged digit would cut the file off. */
function isOf(session: Session, { sizeBytes, name }: Source): boolean {
  return session.size === sizeBytes && session.filename.normalize() === name.normalize();
}

async function describe({ api, source, options, call, retry }: Opening, key: string): Promise<InitRequest> {
  const { metadata, sha256, force } = options;
  const partSizeBytes = options.partSizeBytes ?? (await wishPartSize(source, () => retry(() => api.limits(call))));
  const header = isMrcName(source.name) ? new Uint8Array(Math.min(HEADER_BYTES, source.sizeBytes)) : null;
  if (header) await source.read(0, header);
  return {
    filename: source.name,
    size: source.sizeBytes,
    fingerprint: key,
    ...(header ? { header: btoa(String.fromCharCode(...header)) } : {}),
    ...(metadata ? { metadata } : {}),
    ...(partSizeBytes ? { part_size: partSizeBytes } : {}),
    ...(sha256 ? { sha256 } : {}),
    ...(force ? { force } : {}),
  };
}

/**
 * A file of few parts ends with few connections under way, and a part is what an interruption costs: so a file below 1 GiB has
 * about a hundred, as far as they keep their size worth a request.
 *
 * @returns undefined where the server's own choice is as small.
 */
async function wishPartSize({ sizeBytes }: Source, askLimits: () => Promise<Limits>): Promise<number | undefined> {
  const wish = Math.max(LEAST_PART_BYTES, 2 ** Math.ceil(Math.log2(sizeBytes / WISHED_PARTS)));
  if (wish > MOST_WISHED_BYTES || sizeBytes <= LEAST_PART_BYTES) return undefined;
  return wish < (await askLimits()).part_size ? wish : undefined;
}

/** @returns null when the server has no such session any more, or its file was deleted since. */
async function findSession({ api, call, retry }: Opening, uploadId: string): Promise<Session | null> {
  try {
    const session = await retry(() => api.session(uploadId, call));
    if (session.status === 'completed') await retry(() => api.complete(uploadId, undefined, call));
    return session;
  } catch (error) {
    const gone = ['upload_not_found', 'upload_expired', 'file_not_found'];
    if (error instanceof ServerError && gone.includes(error.code)) return null;
    throw error;
  }
}

async function cancel({ api, call, retry }: Opening, session: Session): Promise<void> {
  if (!CANCELLABLE.includes(session.status)) return;
  try {
    await retry(() => api.cancel(session.upload_id, call));
  } catch (error) {
    if (!(error instanceof ServerError && error.code === 'upload_not_found')) throw error;
  }
}
