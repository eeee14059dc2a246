/** Getting one file there: plan → send → reconcile → done. */
import { fromHex, printDigestHeader, toHex } from '@cryolift/protocol/digest';
import type { FileRecord, Session } from '@cryolift/protocol/messages';
import { eachPart, partExtent } from '@cryolift/protocol/plan';
import { Api, type CallOptions, type GetToken } from './api.ts';
import { sha256 } from './digest.ts';
import { ServerError, SourceError } from './failures.ts';
import { findOrOpenSession } from './opening.ts';
import { Patience, sleep } from './patience.ts';
import type { Memory, Source, Transport } from './ports.ts';
import { assertSameParts, assertUntouched } from './same-file.ts';
import { type ClientEvent, type ClientState, transition } from './states.ts';

/** Bytes of parts in memory, at most; larger parts go one by one. */
const MAX_BUFFERED_BYTES = 256 * 1024 * 1024;
const PARALLEL = 4;
const PATIENCE_MS = 15 * 60_000;
/** A part that arrives damaged this often is damaged here. */
const MAX_DAMAGED = 5;

export interface UploaderOptions {
  /** URL of the server, as its uploads are remembered by. */
  readonly server: string;
  readonly transport: Transport;
  readonly memory: Memory;
  readonly getToken: GetToken;
  /** Parts in flight. */
  readonly parallel?: number | undefined;
  /** How long failures are waited out while nothing goes forward, milliseconds; 15 minutes when not given. */
  readonly patienceMs?: number | undefined;
}

export interface UploadOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly metadata?: Record<string, string> | undefined;
  /** A wish, bytes. */
  readonly partSizeBytes?: number | undefined;
  /** SHA-256 of the whole file, hex: the server publishes nothing else. */
  readonly sha256?: string | undefined;
  /** Store an MRC file although its header is rejected. */
  readonly force?: boolean | undefined;
  /** Cancel what is left of an earlier upload of this file, and start anew. */
  readonly restart?: boolean | undefined;
}

export interface Progress {
  readonly state: ClientState;
  /** The server's session; null until there is one. */
  readonly session: Session | null;
  /** Acknowledged bytes, of `totalBytes`. */
  readonly storedBytes: number;
  readonly totalBytes: number;
  /** Bytes that were there before this run. */
  readonly resumedBytes: number;
  /** Failures that were waited out. */
  readonly retries: number;
  /** What is being waited out now, in words; null while all goes well. */
  readonly trouble: string | null;
}

export class Uploader {
  readonly api: Api;
  readonly #options: UploaderOptions;

  constructor(options: UploaderOptions) {
    this.#options = options;
    this.api = new Api(options.transport, options.getToken);
  }

  /**
   * Uploads a file, or what is missing of it.
   *
   * @returns the published file's record.
   * @throws ServerError, ConnectionError or SourceError; the signal's reason when it is aborted. The session is kept in
   *   every case, and the next call goes on with it.
   */
  async upload(source: Source, options: UploadOptions = {}): Promise<FileRecord> {
    const run = new Run(this.api, this.#options, source, options);
    return await run.upload();
  }
}

class Run {
  readonly #api: Api;
  readonly #uploader: UploaderOptions;
  readonly #source: Source;
  readonly #options: UploadOptions;
  readonly #call: CallOptions;
  readonly #patience: Patience;
  readonly #missing = new Set<number>();
  /** Parts that a lane has taken, with their digests once these are known. */
  readonly #inFlight = new Map<number, Uint8Array | null>();
  /** Digests of the parts that the server has. */
  readonly #stored = new Map<number, Uint8Array>();
  #state: ClientState = 'planning';
  #session: Session | null = null;
  #storedBytes = 0;
  #resumedBytes = 0;
  #trouble: string | null = null;
  #reconciling: Promise<void> | null = null;

  constructor(api: Api, uploader: UploaderOptions, source: Source, options: UploadOptions) {
    this.#api = api;
    this.#uploader = uploader;
    this.#source = source;
    this.#options = options;
    this.#call = { signal: options.signal };
    this.#patience = new Patience(uploader.patienceMs ?? PATIENCE_MS);
  }

  async upload(): Promise<FileRecord> {
    try {
      const session = await this.#plan();
      this.#enter('planned');
      for (;;) {
        await this.#sendMissing(session);
        await assertUntouched(this.#source);
        const file = await this.#complete(session);
        if (!file) continue;
        await this.#assertPublished(session, file);
        await this.#uploader.memory.forget(this.#uploader.server, this.#source.location);
        this.#enter('published');
        return file;
      }
    } catch (error) {
      this.#enter(this.#options.signal?.aborted ? 'pause' : 'fail');
      throw error;
    }
  }

  /** Finds or opens the session, and makes sure that what it has is of this file. */
  async #plan(): Promise<Session> {
    this.#report();
    const { server, memory } = this.#uploader;
    const session = await findOrOpenSession({
      api: this.#api,
      memory,
      server,
      source: this.#source,
      options: this.#options,
      call: this.#call,
      retry: (call) => this.#retry(call),
    });
    this.#session = session;
    if (session.received_parts > 0) await this.#adopt(session);
    for (const idx of eachPart(session.missing_parts)) this.#missing.add(idx);
    return session;
  }

  /** The server has parts from before. */
  async #adopt(session: Session): Promise<void> {
    const parts = await this.#retry(() => this.#api.storedParts(session.upload_id, this.#call));
    await assertSameParts(this.#source, session, parts);
    for (const { part, sha256 } of parts) this.#stored.set(part, fromHex(sha256) as Uint8Array);
    this.#storedBytes = session.received_bytes;
    this.#resumedBytes = session.received_bytes;
  }

  async #sendMissing(session: Session): Promise<void> {
    const wished = this.#uploader.parallel ?? PARALLEL;
    const lanes = Math.max(1, Math.min(wished, Math.floor(MAX_BUFFERED_BYTES / session.part_size)));
    const failure = new AbortController();
    const signal = AbortSignal.any([failure.signal, ...(this.#options.signal ? [this.#options.signal] : [])]);
    const lane = async () => {
      const buffer = new Uint8Array(Math.min(session.part_size, session.size));
      for (let idx = this.#take(); idx !== undefined; idx = this.#take()) {
        await this.#sendPart(session, idx, buffer, signal);
      }
    };
    const running = Array.from({ length: lanes }, lane);
    try {
      await Promise.all(running);
    } catch (error) {
      failure.abort(error);
      await Promise.allSettled(running);
      throw error;
    }
  }

  #take(): number | undefined {
    const idx = this.#missing.values().next().value;
    if (idx === undefined) return undefined;
    this.#missing.delete(idx);
    this.#inFlight.set(idx, null);
    return idx;
  }

  /** Sends one part until it is there. @param buffer the lane's own, used again for each of its parts. */
  async #sendPart(session: Session, idx: number, buffer: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { offset, length } = partExtent(session.size, session.part_size, idx);
    const bytes = buffer.subarray(0, length);
    const digest = await this.#source.read(offset, bytes);
    this.#inFlight.set(idx, digest);
    let damaged = 0;
    for (let attempt = 0; ; attempt++) {
      try {
        const options = { signal, expectContinue: attempt > 0 };
        await this.#api.putPart(session.upload_id, idx, bytes, printDigestHeader(digest), options);
        this.#noteStored(idx, length);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ServerError) {
          if (error.code === 'part_conflict') await this.#explainConflict(error);
          if (error.code === 'part_checksum_mismatch' && ++damaged >= MAX_DAMAGED) throw error;
        }
        await this.#waitOut(error, signal);
        // No reply came: the part may be there.
        if (!(error instanceof ServerError)) await this.#reconcile(session, signal);
        if (!this.#inFlight.has(idx)) return;
      }
    }
  }

  async #explainConflict(error: ServerError): Promise<never> {
    await assertUntouched(this.#source);
    throw new SourceError(
      'source_changed',
      `${error.message} The file here is not the one whose upload began.`,
      'If this content is what you want to send, cancel the old upload and start anew (--restart).',
      { cause: error },
    );
  }

  #noteStored(idx: number, sizeBytes: number): void {
    const digest = this.#inFlight.get(idx);
    if (!digest) return;
    this.#inFlight.delete(idx);
    this.#stored.set(idx, digest);
    this.#storedBytes += sizeBytes;
    this.#noteProgress();
  }

  /** Asks what is missing; lanes that lost their replies at the same time share one answer. */
  async #reconcile(session: Session, signal: AbortSignal | undefined): Promise<void> {
    this.#reconciling ??= this.#ask(session, signal).finally(() => {
      this.#reconciling = null;
    });
    await this.#reconciling;
  }

  async #ask(session: Session, signal: AbortSignal | undefined): Promise<void> {
    this.#enter('doubt');
    const storedBefore = new Set(this.#stored.keys());
    const now = await this.#retry(() => this.#api.session(session.upload_id, { signal }), signal);
    this.#session = now;
    const missing = new Set(eachPart(now.missing_parts));
    const known = now.missing_truncated ? Math.max(...missing) : session.part_count;
    const found = [...this.#inFlight.keys()].filter((idx) => idx <= known && !missing.has(idx));
    if (found.length > 0) {
      const parts = await this.#retry(() => this.#api.storedParts(session.upload_id, { signal }), signal);
      for (const { part, size, sha256 } of parts) {
        const digest = this.#inFlight.get(part);
        // Other bytes than ours: the lane sends its own and hears of the conflict.
        if (digest && toHex(digest) === sha256) this.#noteStored(part, size);
      }
    }
    for (const idx of missing) {
      // The server takes parts back when its system went down; what came in while it answered is not meant.
      if (storedBefore.has(idx) && this.#stored.delete(idx)) {
        this.#storedBytes -= partExtent(session.size, session.part_size, idx).length;
      }
      if (!this.#stored.has(idx) && !this.#inFlight.has(idx)) this.#missing.add(idx);
    }
    this.#enter('settled');
  }

  /** @returns null when the server says that parts are missing: they are to be sent. */
  async #complete(session: Session): Promise<FileRecord | null> {
    const { sha256: declared, signal } = this.#options;
    for (;;) {
      try {
        const completion = await this.#retry(() => this.#api.complete(session.upload_id, declared, this.#call));
        if (completion.kind === 'completed') return completion.file;
        this.#noteProgress();
        await sleep(completion.waitSeconds * 1000, signal);
      } catch (error) {
        if (!(error instanceof ServerError && error.code === 'upload_incomplete')) throw error;
        await this.#reconcile(session, signal);
        if (this.#missing.size === 0) throw error;
        return null;
      }
    }
  }

  /** The record must be of the bytes that were read here. */
  async #assertPublished(session: Session, file: FileRecord): Promise<void> {
    const parts = Array.from({ length: session.part_count }, (_, idx) => this.#stored.get(idx));
    const known = parts.every((digest) => digest !== undefined);
    const joined = new Uint8Array(parts.length * 32);
    if (known) for (const [idx, digest] of parts.entries()) joined.set(digest, idx * 32);
    if (file.size === session.size && known && toHex(await sha256(joined)) === file.parts_sha256) return;
    throw new SourceError(
      'integrity',
      `The server published file ${file.file_id} with other bytes than were read here.`,
      'Do not delete the local file. Upload it anew and tell whoever runs the server.',
    );
  }

  /** Repeats a call that is safe to repeat. */
  async #retry<Result>(call: () => Promise<Result>, signal = this.#options.signal): Promise<Result> {
    for (;;) {
      signal?.throwIfAborted();
      try {
        const result = await call();
        this.#trouble = null;
        return result;
      } catch (error) {
        signal?.throwIfAborted();
        await this.#waitOut(error, signal);
      }
    }
  }

  async #waitOut(error: unknown, signal: AbortSignal | undefined): Promise<void> {
    this.#trouble = error instanceof Error ? error.message : String(error);
    this.#report();
    await this.#patience.wait(error, signal);
  }

  #noteProgress(): void {
    this.#trouble = null;
    this.#patience.noteProgress();
    this.#report();
  }

  #enter(event: ClientEvent): void {
    this.#state = transition(this.#state, event);
    this.#report();
  }

  #report(): void {
    this.#options.onProgress?.({
      state: this.#state,
      session: this.#session,
      storedBytes: this.#storedBytes,
      totalBytes: this.#source.sizeBytes,
      resumedBytes: this.#resumedBytes,
      retries: this.#patience.retries,
      trouble: this.#trouble,
    });
  }
}
