/** Getting one file there: plan → send → reconcile → done. */
import { fromHex, printDigestHeader, toHex } from '@cryolift/protocol/digest';
import type { FileRecord, InitRequest, Session } from '@cryolift/protocol/messages';
import { eachPart, partExtent } from '@cryolift/protocol/plan';
import { Api, type GetToken } from './api.ts';
import { sha256 } from './digest.ts';
import { ServerError, SourceError } from './failures.ts';
import { Patience, sleep } from './patience.ts';
import type { Memory, Remembered, Source, Transport } from './ports.ts';
import { assertRemembered, assertSameParts, assertUntouched, fingerprint } from './same-file.ts';
import { type ClientEvent, type ClientState, transition } from './states.ts';

/** Bytes of parts in memory, at most; very large parts go one by one. */
const MAX_BUFFERED_BYTES = 256 * 1024 * 1024;
/** The server needs 1,024 to judge an MRC file. */
const HEADER_BYTES = 4096;
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
  /** Without any progress for this long, the next failure is final, milliseconds. */
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
  readonly #patience: Patience;
  readonly #missing = new Set<number>();
  readonly #inFlight = new Set<number>();
  /** Digests of parts as sent or found, by index. */
  readonly #digests = new Map<number, Uint8Array>();
  #state: ClientState = 'planning';
  #session: Session | null = null;
  #storedBytes = 0;
  #resumedBytes = 0;
  #reconciling: Promise<void> | null = null;

  constructor(api: Api, uploader: UploaderOptions, source: Source, options: UploadOptions) {
    this.#api = api;
    this.#uploader = uploader;
    this.#source = source;
    this.#options = options;
    this.#patience = new Patience(uploader.patienceMs ?? 15 * 60_000);
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

  /** Finds or opens the session, and makes sure that it is this file's. */
  async #plan(): Promise<Session> {
    this.#report();
    const remembered = await this.#recall();
    const record = remembered ?? (await this.#remember());
    const request = await this.#initRequest(record);
    const session = await this.#retry(() => this.#api.init(request, record.idempotencyKey, this.#call));
    await this.#uploader.memory.save({ ...record, uploadId: session.upload_id });
    this.#session = session;
    if (session.received_parts > 0) await this.#adopt(session);
    for (const idx of eachPart(session.missing_parts)) this.#missing.add(idx);
    this.#report();
    return session;
  }

  async #recall(): Promise<Remembered | null> {
    const { server, memory } = this.#uploader;
    const remembered = await memory.load(server, this.#source.location);
    if (!remembered) return null;
    const { uploadId } = remembered;
    const open = uploadId === null || (await this.#isOpen(uploadId));
    if (open && !this.#options.restart) {
      assertRemembered(this.#source, remembered);
      return remembered;
    }
    if (open && uploadId !== null) await this.#retry(() => this.#api.cancel(uploadId));
    await memory.forget(server, this.#source.location);
    return null;
  }

  async #isOpen(uploadId: string): Promise<boolean> {
    try {
      const { status } = await this.#retry(() => this.#api.session(uploadId, this.#call));
      return status === 'pending' || status === 'uploading' || status === 'verifying';
    } catch (error) {
      if (error instanceof ServerError && error.code === 'upload_not_found') return false;
      throw error;
    }
  }

  /** Written down before init is sent, so that a lost reply leads to the same session. */
  async #remember(): Promise<Remembered> {
    const record: Remembered = {
      server: this.#uploader.server,
      location: this.#source.location,
      fingerprint: await fingerprint(this.#source),
      sizeBytes: this.#source.sizeBytes,
      modifiedMs: this.#source.modifiedMs,
      idempotencyKey: crypto.randomUUID(),
      uploadId: null,
    };
    await this.#uploader.memory.save(record);
    return record;
  }

  async #initRequest(record: Remembered): Promise<InitRequest> {
    const { metadata, partSizeBytes, sha256: declared, force } = this.#options;
    const header = await this.#source.read(0, Math.min(HEADER_BYTES, this.#source.sizeBytes));
    return {
      filename: this.#source.name,
      size: this.#source.sizeBytes,
      fingerprint: record.fingerprint,
      header: btoa(String.fromCharCode(...header)),
      ...(metadata ? { metadata } : {}),
      ...(partSizeBytes ? { part_size: partSizeBytes } : {}),
      ...(declared ? { sha256: declared } : {}),
      ...(force ? { force } : {}),
    };
  }

  /** The server has parts from before. */
  async #adopt(session: Session): Promise<void> {
    const stored = await this.#retry(() => this.#api.storedParts(session.upload_id, this.#call));
    await assertSameParts(this.#source, session, stored);
    for (const part of stored) this.#digests.set(part.part, fromHex(part.sha256) as Uint8Array);
    this.#storedBytes = session.received_bytes;
    this.#resumedBytes = session.received_bytes;
  }

  async #sendMissing(session: Session): Promise<void> {
    const wished = this.#uploader.parallel ?? 4;
    const lanes = Math.max(1, Math.min(wished, Math.floor(MAX_BUFFERED_BYTES / session.part_size)));
    const failure = new AbortController();
    const signal = AbortSignal.any([failure.signal, ...(this.#options.signal ? [this.#options.signal] : [])]);
    const lane = async () => {
      for (let idx = this.#next(); idx !== undefined; idx = this.#next()) await this.#sendPart(session, idx, signal);
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

  #next(): number | undefined {
    const idx = this.#missing.values().next().value;
    if (idx === undefined) return undefined;
    this.#missing.delete(idx);
    this.#inFlight.add(idx);
    return idx;
  }

  /** Sends one part until it is there. */
  async #sendPart(session: Session, idx: number, signal: AbortSignal): Promise<void> {
    const { offset, length } = partExtent(session.size, session.part_size, idx);
    let damaged = 0;
    for (let attempt = 0; ; attempt++) {
      signal.throwIfAborted();
      const bytes = await this.#source.read(offset, length);
      const digest = await sha256(bytes);
      try {
        const options = { signal, expectContinue: attempt > 0 };
        await this.#api.putPart(session.upload_id, idx, bytes, printDigestHeader(digest), options);
        this.#noteStored(idx, digest, length);
        return;
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ServerError) {
          if (error.code === 'part_conflict') await this.#explainConflict(error);
          if (error.code === 'part_checksum_mismatch' && ++damaged >= MAX_DAMAGED) throw error;
        }
        await this.#patience.wait(error, signal);
        this.#report();
        if (error instanceof ServerError) continue;
        // No reply came: the part may be there.
        await this.#reconcile(session, signal);
        if (this.#digests.has(idx) && !this.#inFlight.has(idx)) return;
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

  #noteStored(idx: number, digest: Uint8Array, sizeBytes: number): void {
    if (!this.#inFlight.delete(idx)) return;
    this.#digests.set(idx, digest);
    this.#storedBytes += sizeBytes;
    this.#patience.noteProgress();
    this.#report();
  }

  /** Asks what is missing; lanes that lost their replies at the same time share one answer. */
  async #reconcile(session: Session, signal: AbortSignal): Promise<void> {
    this.#reconciling ??= this.#ask(session, signal).finally(() => {
      this.#reconciling = null;
    });
    await this.#reconciling;
  }

  async #ask(session: Session, signal: AbortSignal): Promise<void> {
    this.#enter('doubt');
    const now = await this.#retry(() => this.#api.session(session.upload_id, { signal }), signal);
    this.#session = now;
    const missing = new Set(eachPart(now.missing_parts));
    const beyond = now.missing_truncated ? Math.max(...missing) : Number.POSITIVE_INFINITY;
    const found = [...this.#inFlight].filter((idx) => idx <= beyond && !missing.has(idx));
    if (found.length > 0) {
      const stored = await this.#retry(() => this.#api.storedParts(session.upload_id, { signal }), signal);
      const digests = new Map(stored.map((part) => [part.part, part] as const));
      for (const idx of found) {
        const part = digests.get(idx);
        if (part) this.#noteStored(idx, fromHex(part.sha256) as Uint8Array, part.size);
      }
    }
    // The server may have taken parts back, if its system went down.
    for (const idx of missing) {
      if (this.#inFlight.has(idx) || this.#missing.has(idx)) continue;
      this.#missing.add(idx);
      if (this.#digests.delete(idx)) this.#storedBytes -= partExtent(session.size, session.part_size, idx).length;
    }
    this.#enter('settled');
  }

  /** @returns null when the server says that parts are missing: they are to be sent. */
  async #complete(session: Session): Promise<FileRecord | null> {
    for (;;) {
      try {
        const completion = await this.#retry(() =>
          this.#api.complete(session.upload_id, this.#options.sha256, this.#call),
        );
        if (completion.kind === 'completed') return completion.file;
        this.#patience.noteProgress();
        await sleep(completion.waitSeconds * 1000, this.#options.signal);
      } catch (error) {
        if (!(error instanceof ServerError && error.code === 'upload_incomplete')) throw error;
        await this.#ask(session, this.#options.signal ?? new AbortController().signal);
        if (this.#missing.size === 0) throw error;
        return null;
      }
    }
  }

  /** The record must be of the bytes that were read here. */
  async #assertPublished(session: Session, file: FileRecord): Promise<void> {
    const parts = Array.from({ length: session.part_count }, (_, idx) => this.#digests.get(idx));
    const known = parts.every((digest) => digest !== undefined);
    const joined = new Uint8Array(parts.length * 32);
    if (known) for (const [idx, digest] of parts.entries()) joined.set(digest as Uint8Array, idx * 32);
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
        return await call();
      } catch (error) {
        signal?.throwIfAborted();
        await this.#patience.wait(error, signal);
        this.#report();
      }
    }
  }

  get #call(): { signal: AbortSignal | undefined } {
    return { signal: this.#options.signal };
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
    });
  }
}
