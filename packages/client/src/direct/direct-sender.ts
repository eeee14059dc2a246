/** Sends parts of one upload to the object storage, and gives back those that must go through the server. */
import { toHex } from '@cryolift/protocol/digest';
import type { UploadRecord } from '@cryolift/protocol/messages';
import type { Api, Part, PartClaim } from '../api/api.ts';
import type { CallOptions } from '../api/authorized-transport.ts';
import { ConnectionError, ServerError, SourceError } from '../failures.ts';
import type { PartWindow } from '../pacing/part-window.ts';
import type { RetryLoop } from '../pacing/retry-loop.ts';
import type { DirectAccess } from './direct-access.ts';
import { PartSigner } from './part-signer.ts';
import { type PutOutcome, putDirect } from './storage-put.ts';

/** How often one part is sent before it goes through the server. */
const MAX_ATTEMPTS = 5;
const MAX_LOST = 3;
/** A URL that is refused this often in a row is not refused because of its age. */
const MAX_EXPIRED = 2;

export interface DirectOptions {
  readonly api: Api;
  readonly access: DirectAccess;
  readonly upload: UploadRecord;
  readonly partWindow: PartWindow;
  readonly retryLoop: RetryLoop;
  /** Options of every call. */
  readonly call: CallOptions;
  readonly onSent: (bytes: number) => void;
  /** Parts go through the server from now on. @param reason as text. */
  readonly onFallback: (reason: string) => void;
}

/**
 * `taken`: to be confirmed. `stored`: the server has it with this digest, hex. `proxied`: it must be sent to the server.
 */
export type DirectOutcome =
  | { readonly kind: 'taken'; readonly claim: PartClaim }
  | { readonly kind: 'stored'; readonly sha256: string }
  | { readonly kind: 'proxied' };

const PROXIED = { kind: 'proxied' } as const;

export class DirectSender {
  readonly #options: DirectOptions;
  readonly #signer: PartSigner;
  /** Parts that the server did not find in the storage. */
  readonly #lost = new Set<number>();

  constructor(options: DirectOptions) {
    const { api, upload, retryLoop, call } = options;
    this.#options = options;
    this.#signer = new PartSigner((parts) =>
      retryLoop.retry(() => api.signParts(upload.upload_id, parts, call), call.signal),
    );
  }

  /** The server did not find the part in the storage: it goes through the server. */
  noteLost(idx: number): void {
    this.#lost.add(idx);
  }

  /** @throws SourceError, ServerError, the signal's reason. */
  async send(part: Part, signal: AbortSignal): Promise<DirectOutcome> {
    const { access, retryLoop } = this.#options;
    if (this.#lost.has(part.idx)) return PROXIED;
    const waitOut = retryLoop.begin();
    let expired = 0;
    for (let attempt = 1; access.isOpen; attempt++) {
      const signing = await this.#sign(part, signal);
      if (signing.kind !== 'direct') return signing;
      const outcome = await this.#put(part, signing.signed, signal);
      switch (outcome.kind) {
        case 'taken':
          if (outcome.etag === null) return this.#fallBack('its answers show no ETag: its CORS rules must expose it');
          access.noteTaken();
          return { kind: 'taken', claim: { part: part.idx, etag: outcome.etag, sha256: toHex(part.digest) } };
        case 'expired':
          if (++expired >= MAX_EXPIRED) return this.#fallBack(outcome.reason);
          continue;
        case 'gone':
          // The server knows what became of the upload.
          return PROXIED;
        case 'refused':
          return this.#fallBack(outcome.reason);
        case 'lost':
          if (!access.hasTaken || attempt >= MAX_LOST) return this.#fallBack(outcome.reason);
          break;
        case 'damaged':
        case 'busy':
          if (attempt >= MAX_ATTEMPTS) return this.#fallBack(outcome.reason);
          break;
      }
      expired = 0;
      try {
        await waitOut(new ConnectionError(outcome.reason), signal);
      } catch {
        signal.throwIfAborted();
        return this.#fallBack(outcome.reason);
      }
    }
    return PROXIED;
  }

  async #sign(part: Part, signal: AbortSignal) {
    try {
      return await this.#signer.sign(part);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ServerError)) throw error;
      // The answer to the part itself says what became of the upload.
      return error.code.startsWith('upload_') ? PROXIED : this.#fallBack(error.message);
    }
  }

  async #put(part: Part, signed: Parameters<typeof putDirect>[1], signal: AbortSignal) {
    const { access, partWindow, onSent } = this.#options;
    let outcome: PutOutcome | { kind: 'lost'; reason: string };
    try {
      const transport = access.transportTo(new URL(signed.url).origin);
      outcome = await putDirect(transport, signed, { body: part.body, onSent, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof SourceError) throw error;
      outcome = { kind: 'lost', reason: error instanceof Error ? error.message : String(error) };
    }
    if (outcome.kind === 'taken') partWindow.notePart();
    if (outcome.kind === 'lost' || outcome.kind === 'busy') partWindow.noteFailure();
    return outcome;
  }

  #fallBack(reason: string): DirectOutcome & { kind: 'proxied' } {
    const { access, onFallback } = this.#options;
    // Other parts may have failed at the same time.
    if (access.isOpen) onFallback(reason);
    access.rest();
    return PROXIED;
  }
}
