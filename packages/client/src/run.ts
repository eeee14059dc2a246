/** Getting one file there: plan → send → reconcile → done. */
import { fromHex, toHex } from '@cryolift/protocol/digest';
import type { FileRecord, PartReceipt, Session } from '@cryolift/protocol/messages';
import { eachPart } from '@cryolift/protocol/plan';
import type { Api, CallOptions, Part } from './api.ts';
import { sha256 } from './digest.ts';
import { ConnectionError, ServerError, SourceError } from './failures.ts';
import type { Flight } from './flight.ts';
import { Ledger } from './ledger.ts';
import { findOrOpenSession } from './opening.ts';
import { Patience, sleep } from './patience.ts';
import type { Source } from './ports.ts';
import { assertSameParts, assertUntouched } from './same-file.ts';
import { type ClientEvent, type ClientState, transition } from './states.ts';
import type { UploaderOptions, UploadOptions } from './uploader.ts';

/** A part that arrives damaged this often is damaged here. */
const MAX_DAMAGED = 5;
/** Bytes on their way are reported this often; everything else at once. */
const REPORT_MS = 200;
/** Whether a whole is verified is asked for at least so often, whatever the server says. */
const LONGEST_LOOK_SECONDS = 60;
/** The server asks for less. */
const BUSY = [429, 503];

/** A part that was read, and the buffer that it lies in. */
interface Cargo extends Part {
  readonly buffer: Uint8Array<ArrayBuffer>;
}

export class Run {
  readonly #api: Api;
  readonly #flight: Flight;
  readonly #uploader: UploaderOptions;
  readonly #source: Source;
  readonly #options: UploadOptions;
  readonly #call: CallOptions;
  readonly #patience: Patience;
  readonly #ledger = new Ledger();
  /** Of parts that have landed, to be filled again. */
  readonly #buffers: Uint8Array<ArrayBuffer>[] = [];
  #state: ClientState = 'planning';
  #session: Session | null = null;
  #resumedBytes = 0;
  #sentBytes = 0;
  #trouble: unknown = null;
  #reportedMs = Number.NEGATIVE_INFINITY;
  #reconciling: Promise<void> | null = null;

  constructor(api: Api, flight: Flight, uploader: UploaderOptions, source: Source, options: UploadOptions) {
    this.#api = api;
    this.#flight = flight;
    this.#uploader = uploader;
    this.#source = source;
    this.#options = options;
    // All requests of an upload are one trace, for a server that sends spans to a collector.
    this.#call = { signal: options.signal, headers: { traceparent: makeTraceparent() } };
    this.#patience = new Patience(uploader.patienceMs);
  }

  async upload(): Promise<FileRecord> {
    try {
      const session = await this.#plan();
      // What failed on the way to here is mended.
      this.#patience.noteProgress();
      this.#enter('planned');
      for (;;) {
        await this.#sendMissing(session);
        await assertUntouched(this.#source);
        const file = await this.#complete(session);
        if (!file) continue;
        await this.#assertPublished(session, file);
        await this.#options.onPublished?.(file);
        await this.#uploader.memory.forget(this.#uploader.server, this.#source.location);
        this.#enter('published');
        return file;
      }
    } catch (error) {
      // Nothing is waited out any more.
      this.#trouble = null;
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
    this.#ledger.begin(session.size, session.part_size);
    if (session.received_parts > 0) await this.#adopt(session);
    for (const idx of eachPart(session.missing_parts)) this.#ledger.noteMissing(idx);
    return session;
  }

  /** The server has parts from before. */
  async #adopt(session: Session): Promise<void> {
    const parts = await this.#retry(() => this.#api.storedParts(session.upload_id, this.#call));
    await assertSameParts(this.#source, session, parts);
    for (const { part, sha256 } of parts) this.#ledger.noteStored(part, fromHex(sha256) as Uint8Array);
    this.#resumedBytes = this.#ledger.storedBytes;
  }

  /** Reads the next part while those before it are on their way. */
  async #sendMissing(session: Session): Promise<void> {
    const failure = new AbortController();
    const signal = AbortSignal.any([failure.signal, ...(this.#options.signal ? [this.#options.signal] : [])]);
    const sending = new Set<Promise<void>>();
    try {
      for (;;) {
        signal.throwIfAborted();
        const idx = this.#ledger.take();
        if (idx === undefined) {
          if (sending.size === 0) return;
          // Which may find more that is missing.
          await Promise.race(sending);
          continue;
        }
        const cargo = await this.#read(idx, session);
        await this.#flight.enter(cargo.bytes.length, signal);
        const sent = this.#sendPart(session, cargo, signal)
          // Known before it is seen that nothing is being sent any more.
          .catch((error) => failure.abort(error))
          .finally(() => {
            sending.delete(sent);
            this.#flight.leave(cargo.bytes.length);
            if (this.#buffers.length <= sending.size) this.#buffers.push(cargo.buffer);
          });
        sending.add(sent);
      }
    } catch (error) {
      failure.abort(error);
      await Promise.allSettled(sending);
      throw signal.reason;
    }
  }

  async #read(idx: number, session: Session): Promise<Cargo> {
    const { offset, length } = this.#ledger.extent(idx);
    const buffer = this.#buffers.pop() ?? new Uint8Array(Math.min(session.part_size, session.size));
    const bytes = buffer.subarray(0, length);
    const digest = await this.#source.read(offset, bytes);
    this.#ledger.noteDigest(idx, digest);
    return { idx, offset, bytes, digest, buffer };
  }

  /** Sends one part until it is there. */
  async #sendPart(session: Session, part: Cargo, signal: AbortSignal): Promise<void> {
    const { idx } = part;
    const waitOut = this.#beginTries();
    let damaged = 0;
    // Whoever reconciles may find that it is there.
    for (let attempt = 0; this.#ledger.underWay.has(idx); attempt++) {
      try {
        const { headers = {} } = this.#call;
        const options = {
          signal,
          headers,
          expectContinue: attempt > 0,
          onSent: (sent: number) => this.#noteSent(sent),
        };
        assertAbout(part, await this.#api.putPart(session.upload_id, part, options));
        this.#flight.notePart();
        this.#noteArrived(idx);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ServerError) {
          if (error.code === 'part_conflict') await this.#explainConflict(error);
          if (error.code === 'part_checksum_mismatch' && ++damaged >= MAX_DAMAGED) throw error;
        }
        if (!(error instanceof ServerError) || BUSY.includes(error.status)) this.#flight.noteTrouble();
        await waitOut(error, signal);
        // No reply came: the part may be there.
        if (!(error instanceof ServerError)) await this.#reconcile(session, signal);
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

  #noteSent(bytes: number): void {
    this.#sentBytes += bytes;
    this.#flight.noteSent(bytes);
    if (performance.now() - this.#reportedMs >= REPORT_MS) this.#report();
  }

  #noteArrived(idx: number): void {
    if (this.#ledger.noteArrived(idx)) this.#noteProgress();
  }

  /** Asks what is missing; parts that lost their replies at the same time share one answer. */
  async #reconcile(session: Session, signal: AbortSignal | undefined): Promise<void> {
    this.#reconciling ??= this.#ask(session, signal).finally(() => {
      this.#reconciling = null;
    });
    await this.#reconciling;
  }

  async #ask(session: Session, signal: AbortSignal | undefined): Promise<void> {
    this.#enter('doubt');
    const ledger = this.#ledger;
    const storedBefore = ledger.storedParts();
    const now = await this.#retry(() => this.#api.session(session.upload_id, { signal }), signal);
    this.#session = now;
    const missing = new Set(eachPart(now.missing_parts));
    const known = now.missing_truncated ? (now.missing_parts.at(-1)?.[1] ?? 0) : session.part_count;
    if (ledger.partsUnderWay().some((idx) => idx <= known && !missing.has(idx))) {
      const parts = await this.#retry(() => this.#api.storedParts(session.upload_id, { signal }), signal);
      for (const { part, sha256 } of parts) {
        const digest = ledger.digestUnderWay(part);
        // Other bytes than ours: who sends it sends its own and hears of the conflict.
        if (digest && toHex(digest) === sha256) this.#noteArrived(part);
      }
    }
    for (const idx of missing) {
      // The server takes parts back when its system went down; what came in while it answered is not meant.
      if (!ledger.stored.has(idx) || storedBefore.has(idx)) ledger.noteMissing(idx);
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
        await sleep(Math.min(completion.waitSeconds, LONGEST_LOOK_SECONDS) * 1000, signal);
      } catch (error) {
        if (!(error instanceof ServerError && error.code === 'upload_incomplete')) throw error;
        await this.#reconcile(session, signal);
        if (this.#ledger.missing.size === 0) throw error;
        return null;
      }
    }
  }

  /** The record must be of the bytes that were read here. */
  async #assertPublished(session: Session, file: FileRecord): Promise<void> {
    const digests = this.#ledger.joinedDigests(session.part_count);
    if (file.size === session.size && digests && toHex(await sha256(digests)) === file.parts_sha256) return;
    throw new SourceError(
      'integrity',
      `The server published file ${file.file_id} with other bytes than were read here.`,
      'Do not delete the local file. Upload it anew and tell whoever runs the server.',
    );
  }

  /** Repeats a call that is safe to repeat. */
  async #retry<Result>(call: () => Promise<Result>, signal = this.#options.signal): Promise<Result> {
    const waitOut = this.#beginTries();
    for (;;) {
      signal?.throwIfAborted();
      const beganMs = performance.now();
      try {
        const result = await call();
        this.#flight.noteCall(performance.now() - beganMs);
        this.#patience.noteReply();
        this.#trouble = null;
        return result;
      } catch (error) {
        signal?.throwIfAborted();
        await waitOut(error, signal);
      }
    }
  }

  /** @returns what says the trouble, and waits before the next try. */
  #beginTries(): (error: unknown, signal: AbortSignal | undefined) => Promise<void> {
    const { transport } = this.#uploader;
    const wait = this.#patience.begin(transport.whenOnline?.bind(transport));
    return async (error, signal) => {
      await wait(error, signal, () => {
        this.#trouble = error;
        this.#report();
      });
    };
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
    const trouble = this.#trouble;
    this.#reportedMs = performance.now();
    this.#options.onProgress?.({
      state: this.#state,
      session: this.#session,
      storedBytes: this.#ledger.storedBytes,
      totalBytes: this.#source.sizeBytes,
      resumedBytes: this.#resumedBytes,
      sentBytes: this.#sentBytes,
      retries: this.#patience.retries,
      trouble: trouble === null || trouble instanceof Error ? (trouble?.message ?? null) : String(trouble),
      offline: trouble instanceof ConnectionError && trouble.offline,
      stored: this.#ledger.stored,
      underWay: this.#ledger.underWay,
    });
  }
}

/** @throws ConnectionError for a receipt of something else: what became of the part is to be asked. */
function assertAbout({ idx, digest }: Part, receipt: PartReceipt): void {
  if (receipt.part === idx && receipt.sha256 === toHex(digest)) return;
  throw new ConnectionError(`the answer to part ${idx} is about another part`);
}

/** W3C Trace Context: a trace of its own, sampled. */
function makeTraceparent(): string {
  const hex = [...crypto.getRandomValues(new Uint8Array(24))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
  return `00-${hex.slice(0, 32)}-${hex.slice(32)}-01`;
}
