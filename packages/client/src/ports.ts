/** The ports of the SDK: the interfaces to its environment. */

/** A local file. Offsets and lengths in bytes. */
export interface Source {
  /** The bare name that the server will give the file. */
  readonly name: string;
  /** Identifies the file on this machine: a path. It is never sent. */
  readonly location: string;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly modifiedMs: number;
  /**
   * Device, inode, size and times of the file, with full precision. Equal only for one file without
   * changes. Null when the system has no such identity.
   */
  readonly identity: string | null;
  /**
   * Fills `into` with the bytes from `offset`.
   *
   * @returns their SHA-256, computed while reading.
   * @throws SourceError when the file has become shorter or unreadable.
   */
  read(offset: number, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  /**
   * The SHA-256 of `length` bytes from `offset`; keeps few of them in memory where the system permits it. @throws
   * SourceError
   */
  digest(offset: number, length: number): Promise<Uint8Array>;
  /** The same bytes, read as they are sent. */
  body(offset: number, length: number): LazyBody;
  /** Current size, time and identity. */
  stat(): Promise<Pick<Source, 'sizeBytes' | 'modifiedMs' | 'identity'>>;
}

/** Bytes that are read while they are sent, for a part that is too large to be held in memory. */
export interface LazyBody {
  readonly length: number;
  /** Fills `into` with the bytes from `offset` in this body. @throws SourceError */
  fill(offset: number, into: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The same bytes for a browser, which reads them itself. */
  readonly blob: Blob | null;
}

export interface WireRequest {
  readonly method: string;
  /** Path and query, from the root of the server. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | LazyBody | undefined;
  /** Wait for `100 Continue` before the body is sent (RFC 9110 section 10.1.1). */
  readonly expectContinue?: boolean | undefined;
  /** Reads no more of the reply's body than this, bytes; 64 MiB when not given. */
  readonly maxReplyBytes?: number | undefined;
  /** Called with the number of new bytes when the connection sends bytes of the body. */
  readonly onSent?: ((bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface WireReply {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Cut off after `maxReplyBytes`. */
  readonly body: Uint8Array;
  /** The host that answered, for messages. */
  readonly from?: string;
}

/**
 * Sends one request. After it has settled, the body is not read any more and its bytes may be overwritten.
 *
 * @throws ConnectionError when no complete reply arrived, SourceError when a lazy body cannot be read. The effect
 * of the request is then unknown.
 */
export interface Transport {
  send(request: WireRequest): Promise<WireReply>;
  /**
   * Resolves when the network is back, where the system reports it. It may stay pending after the signal is aborted.
   */
  whenOnline?(signal: AbortSignal): Promise<void>;
}

/** Compresses parts. It must not block the thread of the caller. */
export interface PartEncoder {
  /** Its `Content-Encoding` (RFC 9110 section 8.4.1). */
  readonly coding: string;
  /** The bytes are not changed before it resolves. */
  encode(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
}

/** The key of a resume record. */
export interface ResumeKey {
  readonly server: string;
  /** The owner of the upload, as the server reports it (`GET /whoami`). */
  readonly owner: string;
  readonly location: string;
}

/**
 * A resume record, by which the next run finds an upload that this client opened for the file or compared with it. It
 * contains no token and no bytes of the file.
 */
export interface ResumeRecord extends ResumeKey {
  /** Properties of the file when its upload started. */
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly identity: string | null;
  /** The fingerprint of the file. */
  readonly fingerprint: string;
  /** The fingerprint that the upload was opened with. Files with equal fingerprints have an upload each. */
  readonly openedWith: string;
  readonly uploadId: string;
}

/** Keeps one record per server, owner and location; a record is written atomically. */
export interface ResumeStore {
  load(key: ResumeKey): Promise<ResumeRecord | null>;
  save(record: ResumeRecord): Promise<void>;
  forget(key: ResumeKey): Promise<void>;
}
