/** Sends the missing parts of an upload, several at a time, until all are stored. */
import { toHex } from '@cryolift/protocol/digest';
import type { ConfirmedParts, PartReceipt, UploadRecord } from '@cryolift/protocol/messages';
import { eachPart } from '@cryolift/protocol/plan';
import type { Api, Part } from '../api/api.ts';
import type { CallOptions } from '../api/authorized-transport.ts';
import { Confirmations } from '../direct/confirmations.ts';
import type { DirectSender } from '../direct/direct-sender.ts';
import { ConnectionError, isOverload, ServerError } from '../failures.ts';
import type { PartWindow } from '../pacing/part-window.ts';
import type { RetryLoop } from '../pacing/retry-loop.ts';
import { sleep } from '../pacing/retry-policy.ts';
import type { Source } from '../ports.ts';
import { compareFound, OtherFileError } from './comparison.ts';
import type { PartEncoding } from './part-encoding.ts';
import type { LoadedPart, PartReader } from './part-reader.ts';
import { assertUntouched } from './same-file.ts';
import { Stragglers } from './stragglers.ts';
import type { UploadProgress } from './upload-progress.ts';

/** A part that arrives damaged this often is damaged on this machine. */
const MAX_DAMAGED = 5;
/** How often idle connections look for a part to take over. */
const LOOK_MS = 1_000;
/** Refusals of a compressed part after which it is sent as it is: a proxy may have changed the body or its head. */
const NOT_ENCODED: readonly string[] = [
  'invalid_request',
  'part_size_mismatch',
  'part_too_large',
  'part_checksum_mismatch',
  'unsupported_digest',
  'length_required',
];

export interface SenderOptions {
  readonly api: Api;
  readonly partWindow: PartWindow;
  readonly source: Source;
  readonly upload: UploadRecord;
  readonly reader: PartReader;
  readonly progress: UploadProgress;
  readonly retryLoop: RetryLoop;
  /** Sends parts to the object storage; null: all go through the server. */
  readonly direct: DirectSender | null;
  /** Compresses parts that go through the server; null: none. */
  readonly encoding: PartEncoding | null;
  /** Options of every call. */
  readonly call: CallOptions;
}

export class PartSender {
  readonly #options: SenderOptions;
  readonly #confirmations: Confirmations;
  readonly #stragglers = new Stragglers();
  #reconciling: Promise<void> | null = null;

  constructor(options: SenderOptions) {
    const { api, upload, retryLoop, call } = options;
    this.#options = options;
    this.#confirmations = new Confirmations({
      confirm: (claims) => retryLoop.retry(() => api.confirmParts(upload.upload_id, claims, call), call.signal),
      settle: (parts) => this.#settle(parts),
    });
  }

  /**
   * Reads the next part while earlier ones are being sent. Parts that the server had before are compared at the same
   * time.
   *
   * @throws OtherFileError when the upload belongs to another file.
   */
  async sendMissing(): Promise<void> {
    const { partWindow, reader, progress, encoding, call } = this.#options;
    const { ledger } = progress;
    const failure = new AbortController();
    const signal = AbortSignal.any([failure.signal, ...(call.signal ? [call.signal] : [])]);
    const sending = new Set<Promise<void>>();
    const follow = (work: Promise<void>) => {
      // A failure must be known before the loop sees that nothing is being sent.
      const followed = work.catch((error) => failure.abort(error)).finally(() => sending.delete(followed));
      sending.add(followed);
    };
    // The network is slower than the disk.
    const comparing = compareFound(reader, progress, signal).catch((error) => failure.abort(error));
    try {
      for (;;) {
        signal.throwIfAborted();
        const idx = ledger.take();
        if (idx === undefined) {
          if (sending.size === 0) {
            await this.#finishComparing(comparing, signal);
            return;
          }
          // The parts in flight may turn out to be missing.
          await this.#awaitChange(sending);
          continue;
        }
        const loadedPart = await this.#encode(await reader.read(idx, encoding?.isUseful === true, signal));
        ledger.noteDigest(idx, loadedPart.digest);
        await partWindow.enter(signal).catch((error) => {
          reader.release(loadedPart);
          throw error;
        });
        const sent = this.#sendPart(loadedPart, signal, follow).finally(() => {
          partWindow.leave();
          reader.release(loadedPart);
        });
        follow(sent);
      }
    } catch (error) {
      failure.abort(error);
      await Promise.allSettled([...sending, comparing]);
      throw signal.reason;
    }
  }

  /** Waits until a part was sent, or idle connections have looked for a part to take over. */
  async #awaitChange(sending: ReadonlySet<Promise<void>>): Promise<void> {
    const looking = new AbortController();
    const look = sleep(LOOK_MS, looking.signal).then(
      () => this.#stragglers.takeOver(this.#options.partWindow.freeParts),
      () => {},
    );
    await Promise.race([...sending, look]);
    looking.abort();
  }

  /** Asks the server which parts are missing. Parts that lost their replies at the same time share one answer. */
  async reconcile(signal: AbortSignal | undefined): Promise<void> {
    this.#reconciling ??= this.#ask(signal).finally(() => {
      this.#reconciling = null;
    });
    await this.#reconciling;
  }

  /** True when all parts are sent. Parts that the server had before may not be compared yet. */
  async #finishComparing(comparing: Promise<void>, signal: AbortSignal): Promise<void> {
    const { progress } = this.#options;
    const isComparing = progress.ledger.found.size > 0;
    if (isComparing) progress.enter('check');
    await comparing;
    signal.throwIfAborted();
    if (isComparing) progress.enter('planned');
  }

  /**
   * Sends one part until the server has it, or the object storage.
   *
   * @param follow is called with the confirmation of a part that the object storage has.
   */
  async #sendPart(part: LoadedPart, signal: AbortSignal, follow: (work: Promise<void>) => void): Promise<void> {
    const outcome = await this.#options.direct?.send(part, signal);
    if (outcome?.kind === 'taken') follow(this.#confirmations.add(outcome.claim));
    else if (outcome?.kind === 'stored') await this.#settle([{ ...outcome, part: part.idx, outcome: 'deduplicated' }]);
    else await this.#sendToServer(part, signal);
  }

  /** What the server says of parts that the object storage has. @throws OtherFileError, SourceError. */
  async #settle(parts: ConfirmedParts['parts']): Promise<void> {
    const { direct, progress } = this.#options;
    for (const { part, outcome, sha256 } of parts) {
      const digest = progress.ledger.digestUnderWay(part);
      // Another answer has settled it.
      if (!digest) continue;
      if (outcome === 'missing') {
        direct?.noteLost(part);
        progress.ledger.noteLost(part);
      } else if (sha256 === toHex(digest)) {
        this.#noteArrived(part);
      } else {
        await this.#explainConflict(part);
      }
    }
  }

  /** @throws what the encoder throws; the part is released then. */
  async #encode(part: LoadedPart): Promise<LoadedPart> {
    const { encoding, reader } = this.#options;
    try {
      const encoded = (await encoding?.encode(part)) ?? null;
      return { ...part, encoded };
    } catch (error) {
      reader.release(part);
      throw error;
    }
  }

  /** Sends one part until the server has it. */
  async #sendToServer(loaded: LoadedPart, signal: AbortSignal): Promise<void> {
    const { api, partWindow, upload, progress, retryLoop, encoding, call } = this.#options;
    const { idx } = loaded;
    let part = loaded;
    const waitOut = retryLoop.begin();
    let damaged = 0;
    // The reconciliation may find that it is stored.
    for (let attempt = 0; progress.ledger.underWay.has(idx); attempt++) {
      const takenOver = new AbortController();
      this.#stragglers.begin(idx, (part.encoded?.bytes ?? part.body).length, () => takenOver.abort());
      try {
        const { headers = {} } = call;
        const options = {
          signal: AbortSignal.any([signal, takenOver.signal]),
          headers,
          expectContinue: attempt > 0,
          onSent: (sent: number) => this.#noteSent(idx, sent),
        };
        assertAbout(part, await api.putPart(upload.upload_id, part, options));
        this.#stragglers.end(idx, true);
        partWindow.notePart();
        if (part.encoded) progress.noteSaved(part.body.length - part.encoded.bytes.length);
        this.#noteArrived(idx);
      } catch (error) {
        signal.throwIfAborted();
        this.#stragglers.end(idx, false);
        // The next attempt ends this one at the server, too, and is sent over another connection.
        if (takenOver.signal.aborted) continue;
        if (error instanceof ServerError) {
          if (part.encoded && NOT_ENCODED.includes(error.code)) {
            encoding?.forbid();
            part = { ...part, encoded: null };
            continue;
          }
          if (error.code === 'part_conflict') await this.#explainConflict(idx);
          if (error.code === 'part_checksum_mismatch' && ++damaged >= MAX_DAMAGED) {
            // Other bytes may have been sent than were hashed.
            await assertUntouched(this.#options.source);
            throw error;
          }
        }
        if (!(error instanceof ServerError) || isOverload(error.status)) partWindow.noteFailure();
        await waitOut(error, signal);
        // Without a reply, the part may be stored.
        if (!(error instanceof ServerError)) await this.reconcile(signal);
      }
    }
  }

  /** Another client sends another file to this upload, or this file has changed. */
  async #explainConflict(idx: number): Promise<never> {
    await assertUntouched(this.#options.source);
    throw new OtherFileError(idx);
  }

  #noteSent(idx: number, bytes: number): void {
    this.#stragglers.noteSent(idx, bytes);
    this.#options.partWindow.noteSent(bytes);
    this.#options.progress.noteSent(bytes);
  }

  #noteArrived(idx: number): void {
    const { progress, retryLoop } = this.#options;
    if (!progress.ledger.noteArrived(idx)) return;
    retryLoop.noteProgress();
    progress.report();
  }

  async #ask(signal: AbortSignal | undefined): Promise<void> {
    const { api, upload, progress, retryLoop } = this.#options;
    const { ledger } = progress;
    progress.enter('doubt');
    const thereBefore = ledger.partsThere();
    const now = await retryLoop.retry(() => api.upload(upload.upload_id, { signal }), signal);
    progress.upload = now;
    const missing = new Set(eachPart(now.missing_parts));
    const known = now.missing_truncated ? lastOf(missing) : upload.part_count;
    if (ledger.partsUnderWay().some((idx) => idx <= known && !missing.has(idx))) {
      const parts = await retryLoop.retry(() => api.storedParts(upload.upload_id, { signal }), signal);
      for (const { part, sha256 } of parts) {
        const digest = ledger.digestUnderWay(part);
        // The server has other bytes: the client that sends this part receives the conflict.
        if (digest && toHex(digest) === sha256) this.#noteArrived(part);
      }
    }
    for (const idx of missing) {
      // The server invalidates parts after a crash of its system. Parts stored during its answer are excluded.
      if (!(ledger.stored.has(idx) || ledger.found.has(idx)) || thereBefore.has(idx)) ledger.noteMissing(idx);
    }
    progress.enter('settled');
  }
}

/** Of ranges in ascending order. */
function lastOf(parts: ReadonlySet<number>): number {
  let last = Number.NEGATIVE_INFINITY;
  for (const idx of parts) last = Math.max(last, idx);
  return last;
}

/** @throws ConnectionError for a receipt of another part: the state of the part must be requested. */
function assertAbout({ idx, digest }: Part, receipt: PartReceipt): void {
  if (receipt.part === idx && receipt.sha256 === toHex(digest)) return;
  throw new ConnectionError(`the answer to part ${idx} is about another part`);
}
