/** tus-js-client in Node, and the requests that it sent. */
import type { ReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { type DetailedError, Upload, type UploadOptions } from 'tus-js-client';

// What the types of the package leave out.
declare module 'tus-js-client' {
  class FileUrlStorage implements UrlStorage {
    constructor(path: string);
    findAllUploads(): Promise<PreviousUpload[]>;
    findUploadsByFingerprint(fingerprint: string): Promise<PreviousUpload[]>;
    removeUpload(urlStorageKey: string): Promise<void>;
    addUpload(fingerprint: string, upload: PreviousUpload): Promise<string>;
  }
  interface UploadOptions {
    readonly protocol?: 'tus-v1' | 'ietf-draft-03' | 'ietf-draft-05';
  }
}

type Source = Buffer | ReadStream | Readable;

interface Sent {
  readonly method: string;
  readonly url: string;
  /** Of the request; null: it has none. */
  readonly offset: number | null;
}

export interface TusJsOptions extends UploadOptions {
  /** Bytes that were acknowledged, and where. */
  readonly onAccepted?: (bytes: number, url: string | null) => void;
  /** Once so many bytes are acknowledged, the upload is aborted. */
  readonly abortAtBytes?: number;
  /** No PATCH is sent before it is kept. */
  readonly patchAfter?: Promise<unknown>;
  /** Aborts the upload, which then fails with this reason. */
  readonly signal?: AbortSignal;
  /** Continues what was stored for the same source, if there is something. */
  readonly resume?: boolean;
}

export interface Outcome {
  readonly url: string | null;
  readonly sent: readonly Sent[];
  /** Acknowledged, the last that was reported. */
  readonly acceptedBytes: number;
  /** How it ended when it did not fail. */
  readonly end: 'success' | 'aborted';
}

/** Its own retries are quick, so that tests are. */
const RETRY_DELAYS_MS = [0, 100, 300, 1000];

/** Runs one upload to its end. @throws DetailedError after its own retries. */
export async function uploadWithTusJs(source: Source, options: TusJsOptions): Promise<Outcome> {
  const { abortAtBytes, patchAfter, onAccepted, signal, resume = false, ...own } = options;
  const sent: Sent[] = [];
  let acceptedBytes = 0;
  const { promise, resolve, reject } = Promise.withResolvers<Outcome['end']>();
  const upload = new Upload(source as Buffer, {
    retryDelays: RETRY_DELAYS_MS,
    ...own,
    onBeforeRequest: async (request) => {
      if (request.getMethod() === 'PATCH') await patchAfter;
      const offset = request.getHeader('Upload-Offset');
      const { [request.getMethod()]: method = request.getMethod() } = { POST: overrideOf(request) };
      sent.push({ method, url: request.getURL(), offset: offset === undefined ? null : Number(offset) });
    },
    onChunkComplete: (_, accepted) => {
      acceptedBytes = accepted;
      onAccepted?.(accepted, upload.url);
      if (abortAtBytes === undefined || accepted < abortAtBytes) return;
      upload.abort().then(() => resolve('aborted'), reject);
    },
    onSuccess: () => resolve('success'),
    onError: (error: Error | DetailedError) => reject(error),
  });
  if (resume) {
    const [previous] = await upload.findPreviousUploads();
    if (previous) upload.resumeFromPreviousUpload(previous);
  }
  signal?.addEventListener('abort', () => {
    upload.abort().catch(() => {});
    reject(signal.reason);
  });
  upload.start();
  const end = await promise;
  return { url: upload.url, sent, acceptedBytes, end };
}

function overrideOf(request: { getHeader(name: string): string | undefined }): string {
  return request.getHeader('X-HTTP-Method-Override') ?? 'POST';
}
