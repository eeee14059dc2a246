/** Uploads one file: plan → send → reconcile → done. */
import { fromHex, toHex } from '@cryolift/protocol/digest';
import type { FileRecord, Limits, UploadRecord } from '@cryolift/protocol/messages';
import { eachPart } from '@cryolift/protocol/plan';
import type { Api } from '../api/api.ts';
import type { CallOptions } from '../api/authorized-transport.ts';
import type { KnownLimits } from '../api/known-limits.ts';
import type { PartOrigins } from '../api/part-origins.ts';
import { makeTraceparent } from '../api/traceparent.ts';
import { sha256 } from '../digest.ts';
import type { DirectAccess } from '../direct/direct-access.ts';
import { DirectSender } from '../direct/direct-sender.ts';
import { ForeignReplyError, ServerError, SourceError } from '../failures.ts';
import type { PartWindow } from '../pacing/part-window.ts';
import { RetryLoop } from '../pacing/retry-loop.ts';
import { RetryPolicy, sleep } from '../pacing/retry-policy.ts';
import type { ResumeKey, Source } from '../ports.ts';
import type { Claims } from './claims.ts';
import { compareFound, OtherFileError } from './comparison.ts';
import type { LocalDigests } from './local-digests.ts';
import {
  cancelUpload,
  findOrStartUpload,
  hasPairs,
  type Opened,
  type Opening,
  saveResumeRecord,
  updateFileMetadata,
  updateMetadata,
} from './opening.ts';
import type { PartBuffers } from './part-buffers.ts';
import { PartEncoding } from './part-encoding.ts';
import { PartReader } from './part-reader.ts';
import { PartSender } from './part-sender.ts';
import { assertUntouched, changedMeanwhile, fingerprint } from './same-file.ts';
import type { UploaderOptions, UploadOptions } from './upload-options.ts';
import { UploadProgress } from './upload-progress.ts';

/** A file that changes this often while it is compared is being written to. */
const MAX_COMPARED_AGAIN = 3;
/** A server that asks for stored parts again this often does not keep them. */
const MAX_INCOMPLETE = 10;
/** Bounds of the interval at which the verification of the file is polled. */
const [SHORTEST_LOOK_SECONDS, LONGEST_LOOK_SECONDS] = [0.1, 60];

/** What the uploads of one uploader share. */
interface Shared {
  readonly api: Api;
  readonly partWindow: PartWindow;
  readonly limits: KnownLimits;
  readonly origins: PartOrigins;
  readonly directAccess: DirectAccess;
  readonly claims: Claims;
  readonly digests: LocalDigests;
  readonly buffers: PartBuffers;
}

export class UploadTask {
  readonly #shared: Shared;
  readonly #uploader: UploaderOptions;
  readonly #source: Source;
  readonly #options: UploadOptions;
  readonly #call: CallOptions;
  readonly #progress: UploadProgress;
  readonly #retryLoop: RetryLoop;
  /** Uploads that belong to other files with the same fingerprint. */
  readonly #others = new Set<string>();
  /** The identity of the file when its bytes were read. */
  #identity: string | null;

  constructor(shared: Shared, uploader: UploaderOptions, source: Source, options: UploadOptions) {
    this.#shared = shared;
    this.#uploader = uploader;
    this.#source = source;
    this.#identity = source.identity;
    this.#options = options;
    // All requests of an upload are one trace, for a server that sends spans to a collector.
    this.#call = { signal: options.signal, headers: { traceparent: makeTraceparent() } };
    const retryPolicy = new RetryPolicy(uploader.retryForMs);
    this.#progress = new UploadProgress(source.sizeBytes, retryPolicy, options.onProgress);
    this.#retryLoop = new RetryLoop(uploader.transport, shared.partWindow, retryPolicy, this.#progress);
  }

  async upload(): Promise<FileRecord> {
    try {
      this.#progress.report();
      const { server } = this.#uploader;
      // A file that cannot be read fails before any request.
      const print = await fingerprint(this.#source);
      const owner = await this.#retry(() => this.#shared.api.owner(this.#call));
      const key = { server, owner, location: this.#source.location };
      for (;;) {
        const file = await this.#attempt(this.#opening(key, print));
        if (!file) continue;
        this.#progress.enter('published');
        return file;
      }
    } catch (error) {
      // No retry is pending any more.
      this.#progress.noteError(null);
      this.#progress.enter(this.#options.signal?.aborted ? 'pause' : 'fail');
      throw error;
    }
  }

  /** @returns null when the upload belongs to another file: the next one must be found or opened. */
  async #attempt(opening: Opening): Promise<FileRecord | null> {
    const opened = await findOrStartUpload(opening);
    const { upload_id } = opened.upload;
    try {
      return await this.#send(opening, opened);
    } catch (error) {
      if (!(error instanceof OtherFileError)) throw error;
      this.#leave(upload_id);
      this.#options.onNotice?.({ kind: 'other_file', uploadId: upload_id, part: error.part });
      return null;
    } finally {
      this.#shared.claims.release(upload_id);
    }
  }

  /** @returns null when the upload was left. @throws OtherFileError */
  async #send(opening: Opening, opened: Opened): Promise<FileRecord | null> {
    const { source, signal } = { source: this.#source, signal: this.#options.signal };
    const reader = new PartReader(source, this.#shared.digests, this.#shared.buffers, opened.upload);
    await this.#begin(opened.upload);
    if (!opened.isOwn) {
      // Nothing is sent to an upload that may belong to another file.
      this.#progress.enter('check');
      await compareFound(reader, this.#progress, signal);
      if (this.#options.restart) {
        await cancelUpload(opening, opened.upload);
        this.#leave(opened.upload.upload_id);
        return null;
      }
    }
    this.#progress.noteOwn();
    await saveResumeRecord(opening, opened);
    const upload = await updateMetadata(opening, opened);
    this.#noteMetadata(opened.upload.metadata, upload.metadata);
    this.#retryLoop.noteProgress();
    this.#progress.enter('planned');
    const { api, partWindow, origins } = this.#shared;
    const direct = await this.#openDirect(upload);
    // Servers of earlier versions name none.
    if (origins.isOpen) origins.use((!direct && (await this.#limits()).part_origins) || []);
    const sender = new PartSender({
      api,
      partWindow,
      source,
      upload,
      reader,
      progress: this.#progress,
      retryLoop: this.#retryLoop,
      direct,
      encoding: direct ? null : await this.#openEncoding(),
      call: this.#call,
    });
    for (let round = 1; ; round++) {
      await sender.sendMissing();
      await this.#assertUntouched(reader);
      const completed = await this.#complete(upload, sender, round === MAX_INCOMPLETE);
      if (!completed) continue;
      await this.#assertPublished(upload, completed);
      const file = await updateFileMetadata(opening, completed);
      this.#noteMetadata(completed.metadata, file.metadata);
      await this.#options.onPublished?.(file);
      await this.#uploader.resumeStore.forget(opening.key);
      return file;
    }
  }

  #opening(key: ResumeKey, print: string): Opening {
    return {
      api: this.#shared.api,
      resumeStore: this.#uploader.resumeStore,
      key,
      source: this.#source,
      fingerprint: print,
      options: this.#options,
      others: this.#others,
      claims: this.#shared.claims,
      call: this.#call,
      roundTripMs: () => this.#shared.partWindow.roundTripMs,
      retry: (call) => this.#retry(call),
    };
  }

  /** @returns null when all parts go through the server. */
  async #openDirect(upload: UploadRecord): Promise<DirectSender | null> {
    const { api, partWindow, directAccess: access } = this.#shared;
    // For one part, signing and confirming cost more than they save.
    if (upload.part_count < 2 || !(await access.isOffered(() => this.#limits()))) return null;
    return new DirectSender({
      api,
      access,
      upload,
      partWindow,
      retryLoop: this.#retryLoop,
      call: this.#call,
      onSent: (bytes) => {
        partWindow.noteSent(bytes);
        this.#progress.noteSent(bytes);
      },
      onFallback: (reason) => this.#options.onNotice?.({ kind: 'through_server', reason }),
    });
  }

  /** @returns null when parts are not compressed. */
  async #openEncoding(): Promise<PartEncoding | null> {
    const { encoder } = this.#uploader;
    if (!encoder) return null;
    // Servers of earlier versions offer none.
    const { part_encodings: offered = [] } = (await this.#limits()) as Partial<Limits>;
    if (!offered.includes(encoder.coding)) return null;
    return new PartEncoding(encoder, this.#source.name, () => this.#shared.partWindow.linkRate);
  }

  async #limits(): Promise<Limits> {
    return await this.#shared.limits.read(() => this.#retry(() => this.#shared.api.limits(this.#call)));
  }

  /** Asks the server which parts it has. */
  async #begin(upload: UploadRecord): Promise<void> {
    const { api } = this.#shared;
    const { ledger } = this.#progress;
    this.#progress.upload = upload;
    ledger.begin(upload.size, upload.part_size);
    if (upload.received_parts > 0) {
      const parts = await this.#retry(() => api.storedParts(upload.upload_id, this.#call));
      for (const { part, sha256 } of parts) {
        if (part >= upload.part_count)
          throw new ForeignReplyError(`the server lists part ${part}, which does not exist`);
        ledger.noteFound(part, fromHex(sha256) as Uint8Array);
      }
    }
    for (const idx of eachPart(upload.missing_parts)) ledger.noteMissing(idx);
  }

  #leave(uploadId: string): void {
    this.#others.add(uploadId);
    this.#progress.leaveUpload();
  }

  /** @throws SourceError `source_changed` when the file has other bytes than were sent. */
  async #assertUntouched(reader: PartReader): Promise<void> {
    for (let again = 0; ; again++) {
      const identity = await assertUntouched(this.#source);
      if (identity === this.#identity) return;
      if (again === MAX_COMPARED_AGAIN) throw changedMeanwhile();
      this.#identity = identity;
      this.#shared.digests.forget(this.#source);
      const { resumedBytes } = this.#progress;
      this.#progress.ledger.doubtStored();
      this.#progress.enter('check');
      await compareFound(reader, this.#progress, this.#options.signal).catch((error) => {
        throw error instanceof OtherFileError ? changedMeanwhile() : error;
      });
      this.#progress.resumedBytes = resumedBytes;
      this.#progress.enter('planned');
    }
  }

  /** @returns null when the server says that parts are missing and must be sent; throws in the last round. */
  async #complete(upload: UploadRecord, sender: PartSender, isLast: boolean): Promise<FileRecord | null> {
    const { sha256: declared, signal } = this.#options;
    const { api } = this.#shared;
    for (;;) {
      try {
        const completion = await this.#retry(() => api.complete(upload.upload_id, declared, this.#call));
        if (completion.kind === 'completed') return completion.file;
        this.#retryLoop.noteProgress();
        this.#progress.report();
        const waitSeconds = Math.max(SHORTEST_LOOK_SECONDS, Math.min(completion.waitSeconds, LONGEST_LOOK_SECONDS));
        await sleep(waitSeconds * 1000, signal);
      } catch (error) {
        if (isLast || !(error instanceof ServerError && error.code === 'upload_incomplete')) throw error;
        await sender.reconcile(signal);
        if (this.#progress.ledger.missing.size === 0) throw error;
        return null;
      }
    }
  }

  /** Checks that the record matches the bytes of the local file. */
  async #assertPublished(upload: UploadRecord, file: FileRecord): Promise<void> {
    const digests = this.#progress.ledger.joinedDigests(upload.part_count);
    if (file.size === upload.size && digests && toHex(await sha256(digests)) === file.parts_sha256) return;
    throw new SourceError(
      'integrity',
      `The server published file ${file.file_id} with other bytes than those of the local file.`,
      'Do not delete the local file. Upload it again and contact the administrator of the server.',
    );
  }

  #noteMetadata(before: Readonly<Record<string, string>>, now: Readonly<Record<string, string>>): void {
    if (!hasPairs(before, now)) this.#options.onNotice?.({ kind: 'metadata_changed', before, now });
  }

  async #retry<Result>(call: () => Promise<Result>): Promise<Result> {
    return await this.#retryLoop.retry(call, this.#options.signal);
  }
}
