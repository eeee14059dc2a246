/** The options and the progress of an upload. */
import type { ErrorCode } from '@cryolift/protocol/errors';
import type { FileRecord, UploadRecord } from '@cryolift/protocol/messages';
import type { GetToken } from '../api/authorized-transport.ts';
import type { PartOriginsOptions } from '../api/part-origins.ts';
import type { OpenStorage } from '../direct/direct-access.ts';
import type { PartEncoder, ResumeStore, Transport } from '../ports.ts';
import type { PartSet } from './part-ledger.ts';
import type { ClientState } from './upload-states.ts';

export interface UploaderOptions {
  /** The URL of the server, as in resume records. */
  readonly server: string;
  readonly transport: Transport;
  readonly resumeStore: ResumeStore;
  readonly getToken: GetToken;
  /**
   * Opens connections to the object storage, for servers that let clients send parts to it. Without it, and when the
   * storage cannot be reached, parts go through the server.
   */
  readonly openStorage?: OpenStorage | undefined;
  /** Sends parts to further origins of the server, too: for a browser, which opens few connections to each. */
  readonly partOrigins?: PartOriginsOptions | undefined;
  /**
   * Compresses parts for a server that takes them so, where that makes the upload faster: the bytes compress well, and the
   * link is slower than the encoder. Parts for an object storage are not compressed.
   */
  readonly encoder?: PartEncoder | undefined;
  /**
   * The maximum number of parts in flight of all uploads together, without those to further origins; 64 by default. The
   * actual number adapts to the path: more than 16 are used only over a path without a queue.
   */
  readonly parallel?: number | undefined;
  /**
   * How long errors are retried without progress, in milliseconds. By default: 12 hours for a server that became
   * unreachable, is overloaded or full; without limit while this machine is offline; 15 minutes for other errors.
   */
  readonly retryForMs?: number | undefined;
}

export interface UploadOptions {
  /** Aborting it pauses the upload. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * Awaited when the file is published and before the resume record is removed. A file that it records is not sent
   * twice.
   */
  readonly onPublished?: ((file: FileRecord) => Promise<void>) | undefined;
  /** Called with information for the user before the upload is done. */
  readonly onNotice?: ((notice: Notice) => void) | undefined;
  /** Also applied to an upload that an earlier run started with other metadata; its other pairs stay. */
  readonly metadata?: Record<string, string> | undefined;
  /** The requested part size in bytes. By default smaller than the server's for files below 1 GiB. */
  readonly partSizeBytes?: number | undefined;
  /** SHA-256 of the whole file, hex. The server publishes no other content. */
  readonly sha256?: string | undefined;
  /** Store an MRC file although its header is rejected. */
  readonly force?: boolean | undefined;
  /** Cancel an unfinished upload of this file, and start again. */
  readonly restart?: boolean | undefined;
}

export type Notice =
  /** The found upload belongs to another file with the same fingerprint. This file is sent separately. */
  | { readonly kind: 'other_file'; readonly uploadId: string; readonly part: number }
  /** Parts go through the server, because the object storage cannot be used now. */
  | { readonly kind: 'through_server'; readonly reason: string }
  /** The upload, or the file if it was already published, had other metadata. */
  | {
      readonly kind: 'metadata_changed';
      readonly before: Readonly<Record<string, string>>;
      readonly now: Readonly<Record<string, string>>;
    };

export interface Progress {
  readonly state: ClientState;
  /** The upload on the server; null until it is known to belong to this file. */
  readonly upload: UploadRecord | null;
  /** Acknowledged bytes, of `totalBytes`. Bytes from earlier runs count after they were compared with the file. */
  readonly storedBytes: number;
  readonly totalBytes: number;
  /** Bytes that earlier runs stored and that are equal to those of the file. */
  readonly resumedBytes: number;
  /** Bytes of bodies that connections sent in this run, including lost ones. A compressed part has fewer than the file. */
  readonly sentBytes: number;
  /** Bytes of the file that were not sent because their parts were compressed. */
  readonly savedBytes: number;
  /** Number of retries. */
  readonly retries: number;
  /** The error after which the upload waits, as text; null otherwise. */
  readonly lastError: string | null;
  /** The code of this error, when the server has answered with one. */
  readonly lastErrorCode: ErrorCode | null;
  /** The client waits for a network. */
  readonly offline: boolean;
  /** Parts that the server has. The set is live. */
  readonly stored: PartSet;
  /** Parts that are being read or sent. The set is live. */
  readonly underWay: PartSet;
}
