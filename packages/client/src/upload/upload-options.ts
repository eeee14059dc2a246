/** What an upload is given, and what it reports. */
import type { FileRecord, Session } from '@cryolift/protocol/messages';
import type { GetToken } from '../api/api.ts';
import type { ResumeStore, Transport } from '../ports.ts';
import type { PartSet } from './part-ledger.ts';
import type { ClientState } from './upload-states.ts';

export interface UploaderOptions {
  /** URL of the server, as its uploads are remembered by; with the owner's name where several people share the memory. */
  readonly server: string;
  readonly transport: Transport;
  readonly resumeStore: ResumeStore;
  readonly getToken: GetToken;
  /** Parts in flight of all uploads together, at most; 16 when not given. How many there are follows the path. */
  readonly parallel?: number | undefined;
  /**
   * How long failures are waited out while nothing goes forward, milliseconds. When not given: 12 hours for a server that
   * went away, is overloaded or full; without end while this machine is offline; 15 minutes for all else.
   */
  readonly retryForMs?: number | undefined;
}

export interface UploadOptions {
  /** Aborting it pauses the upload. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Awaited when the file is published and before the upload is forgotten: what is written down here is not sent twice. */
  readonly onPublished?: ((file: FileRecord) => Promise<void>) | undefined;
  /** What should be known before the upload is done, and needs nobody's answer. */
  readonly onNotice?: ((notice: Notice) => void) | undefined;
  /** Holds also for an upload that an earlier run began with others: its other pairs stay. */
  readonly metadata?: Record<string, string> | undefined;
  /** A wish, bytes; when not given, smaller ones than the server's for files below 1 GiB. */
  readonly partSizeBytes?: number | undefined;
  /** SHA-256 of the whole file, hex: the server publishes nothing else. */
  readonly sha256?: string | undefined;
  /** Store an MRC file although its header is rejected. */
  readonly force?: boolean | undefined;
  /** Cancel what is left of an earlier upload of this file, and start anew. */
  readonly restart?: boolean | undefined;
}

export type Notice =
  /** What the server has of an upload is of another file that looks like this one: this one is sent by itself. */
  | { readonly kind: 'other_file'; readonly uploadId: string; readonly part: number }
  /** The upload, or the file if that was published already, had other metadata. */
  | {
      readonly kind: 'metadata_changed';
      readonly before: Readonly<Record<string, string>>;
      readonly now: Readonly<Record<string, string>>;
    };

export interface Progress {
  readonly state: ClientState;
  /** The server's session; null until there is one that is known to be of this file. */
  readonly session: Session | null;
  /** Acknowledged bytes, of `totalBytes`; those that were there before this run count once they were compared with the file. */
  readonly storedBytes: number;
  readonly totalBytes: number;
  /** Bytes that were there before this run, and are those of the file. */
  readonly resumedBytes: number;
  /** Bytes of parts that connections took in this run, those that were lost included. */
  readonly sentBytes: number;
  /** Failures that were waited out. */
  readonly retries: number;
  /** What is being waited out now, in words; null while all goes well. */
  readonly lastError: string | null;
  /** What is being waited for is a network. */
  readonly offline: boolean;
  /** Parts of the file that the server has; follows the upload. */
  readonly stored: PartSet;
  /** Parts that are read or sent now; follows the upload. */
  readonly underWay: PartSet;
}
