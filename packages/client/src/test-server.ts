/** The server's side of the contract in memory, as far as the uploader needs it. Tests can change its replies. */
import { createHash } from 'node:crypto';
import { parseDigestHeader } from '@cryolift/protocol/digest';
import type { ErrorCode } from '@cryolift/protocol/errors';
import { ERRORS } from '@cryolift/protocol/errors';
import type { InitRequest, UploadRecord } from '@cryolift/protocol/messages';
import { ConnectionError } from './failures.ts';
import type { ResumeKey, ResumeRecord, ResumeStore, Source, Transport, WireReply, WireRequest } from './ports.ts';

export const PART_BYTES = 1000;

interface Upload {
  readonly id: string;
  readonly request: InitRequest;
  metadata: Record<string, string>;
  status: UploadRecord['status'];
  readonly parts: Map<number, Buffer>;
}

/** Answers a request, or simulates a bad network. */
export type Tamper = (request: WireRequest, answer: () => WireReply) => WireReply | Promise<WireReply>;

export class TestServer implements Transport {
  readonly uploads: Upload[] = [];
  /** `PUT 3` for part 3, else method and last word of the path. */
  readonly calls: string[] = [];
  tamper: Tamper = (_request, answer) => answer();
  /** Maximum number of ranges in an upload record. */
  maxRanges = 1000;
  readonly #partBytes: number;
  readonly #keys = new Map<string, { body: string; upload: Upload }>();

  constructor(partBytes = PART_BYTES) {
    this.#partBytes = partBytes;
  }

  async send(request: WireRequest): Promise<WireReply> {
    request.signal?.throwIfAborted();
    this.calls.push(nameCall(request));
    return await this.tamper(request, () => this.#answer(request));
  }

  /** How often each part was sent, with any result. */
  get putCount(): number {
    return this.calls.filter((call) => call.startsWith('PUT')).length;
  }

  get upload(): Upload {
    return this.uploads.at(-1) as Upload;
  }

  #answer({ method, path, headers, body: sent }: WireRequest): WireReply {
    // These tests use small parts.
    const body = sent as Uint8Array | undefined;
    const [, , id = '', what = '', idx = ''] = (path.split('?')[0] ?? '').split('/');
    if (path === '/whoami') return reply(200, { owner: 'ada', link_id: null });
    if (method === 'PATCH') return this.#change(id, body);
    if (path === '/limits') return reply(200, { part_size: this.#partBytes });
    if (path === '/uploads/init') return this.#init(headers['idempotency-key'] ?? '', body);
    const upload = this.uploads.find((each) => each.id === id);
    if (!upload) return failure('upload_not_found');
    if (method === 'DELETE') {
      upload.status = 'cancelled';
      return reply(204, {});
    }
    if (what === 'part') return store(upload, Number(idx), Buffer.from(body ?? []), headers['content-digest'] ?? '');
    if (what === 'parts') return reply(200, { items: listParts(upload), next_cursor: null });
    if (what === 'complete') return this.#complete(upload);
    return reply(200, this.#describe(upload));
  }

  #init(key: string, body: Uint8Array | undefined): WireReply {
    const text = Buffer.from(body ?? []).toString();
    const used = this.#keys.get(key);
    if (used && used.body !== text) return failure('idempotency_conflict');
    const request = JSON.parse(text) as InitRequest;
    const found =
      used?.upload ??
      this.uploads.find(
        (each) => each.request.fingerprint === request.fingerprint && ['pending', 'uploading'].includes(each.status),
      );
    const { metadata = {}, keep_metadata } = request;
    const upload = found ?? {
      id: `u${this.uploads.length}`,
      request,
      metadata,
      status: 'pending' as const,
      parts: new Map(),
    };
    if (found && !used && !keep_metadata) Object.assign(found.metadata, metadata);
    if (!found) this.uploads.push(upload);
    this.#keys.set(key, { body: text, upload });
    return reply(found ? 200 : 201, { ...this.#describe(upload), resumed: found !== undefined });
  }

  #complete(upload: Upload): WireReply {
    const count = this.#partCount(upload);
    if (upload.parts.size < count) return failure('upload_incomplete');
    upload.status = 'completed';
    return reply(200, this.#record(upload));
  }

  #change(fileId: string, body: Uint8Array | undefined): WireReply {
    const upload = this.uploads.find(({ id }) => `f-${id}` === fileId) as Upload;
    Object.assign(upload.metadata, (JSON.parse(Buffer.from(body ?? []).toString()) as InitRequest).metadata);
    return reply(200, this.#record(upload));
  }

  #record(upload: Upload) {
    const parts = Array.from({ length: this.#partCount(upload) }, (_, idx) => upload.parts.get(idx) as Buffer);
    return {
      file_id: `f-${upload.id}`,
      owner: 'ada',
      created_at: '2026-11-29T10:00:00.000Z',
      warnings: [],
      metadata: upload.metadata,
      filename: upload.request.filename,
      size: upload.request.size,
      sha256: digest(Buffer.concat(parts)).toString('hex'),
      parts_sha256: digest(Buffer.concat(parts.map(digest))).toString('hex'),
    };
  }

  #describe(upload: Upload): Partial<UploadRecord> {
    const missing = Array.from({ length: this.#partCount(upload) }, (_, idx) => idx).filter(
      (idx) => !upload.parts.has(idx),
    );
    const ranges = missing.map((idx) => [idx, idx]);
    const stored = [...upload.parts.values()];
    return {
      upload_id: upload.id,
      filename: upload.request.filename,
      metadata: upload.metadata,
      status: upload.status,
      size: upload.request.size,
      part_size: this.#partBytes,
      part_count: this.#partCount(upload),
      received_parts: stored.length,
      received_bytes: stored.reduce((sum, part) => sum + part.length, 0),
      missing_parts: ranges.slice(0, this.maxRanges),
      ...(ranges.length > this.maxRanges ? { missing_truncated: true } : {}),
      resumed: false,
    };
  }

  #partCount(upload: Upload): number {
    return Math.ceil(upload.request.size / this.#partBytes);
  }
}

function store(upload: Upload, idx: number, bytes: Buffer, contentDigest: string): WireReply {
  const announced = parseDigestHeader(contentDigest);
  if (announced.kind !== 'sha-256' || digest(bytes).compare(announced.digest) !== 0) {
    return failure('part_checksum_mismatch');
  }
  const there = upload.parts.get(idx);
  if (there && there.compare(bytes) !== 0) return failure('part_conflict');
  upload.parts.set(idx, bytes);
  upload.status = 'uploading';
  return reply(there ? 200 : 201, {
    upload_id: upload.id,
    part: idx,
    size: bytes.length,
    sha256: digest(bytes).toString('hex'),
    deduplicated: there !== undefined,
  });
}

function listParts(upload: Upload) {
  return [...upload.parts]
    .sort(([a], [b]) => a - b)
    .map(([part, bytes]) => ({ part, size: bytes.length, sha256: digest(bytes).toString('hex') }));
}

function nameCall({ method, path }: WireRequest): string {
  return `${method} ${path.split('?')[0]?.split('/').at(-1)}`;
}

export function reply(status: number, body: object, headers: WireReply['headers'] = {}): WireReply {
  return { status, headers, body: Buffer.from(JSON.stringify(body)) };
}

export function failure(code: ErrorCode, headers: WireReply['headers'] = {}): WireReply {
  const { status, hint, retryable } = ERRORS[code];
  return reply(status, { code, message: `it is ${code}`, hint, retryable, request_id: 'r' }, headers);
}

export function lost(): never {
  throw new ConnectionError('no connection (ECONNRESET)');
}

export function digest(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** A file whose bytes and time the test can change. */
export class TestSource implements Source {
  readonly name = 'tomo.mrc';
  readonly location: string = '/data/tomo.mrc';
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** Offsets of parts that were read. */
  readonly reads: number[] = [];
  readonly identity: string | null;
  bytes: Uint8Array;
  modifiedNowMs: number;
  identityNow: string | null;

  constructor(bytes: Uint8Array, modifiedMs = 1_700_000_000_000.25, identity: string | null = 'inode 1') {
    this.identity = identity;
    this.identityNow = identity;
    this.bytes = bytes;
    this.sizeBytes = bytes.length;
    this.modifiedMs = modifiedMs;
    this.modifiedNowMs = modifiedMs;
  }

  async read(offset: number, into: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    if (into.length === PART_BYTES) this.reads.push(offset);
    into.set(this.bytes.subarray(offset, offset + into.length));
    return digest(into);
  }

  async digest(offset: number, length: number): Promise<Uint8Array> {
    return await this.read(offset, new Uint8Array(length));
  }

  body(offset: number, length: number) {
    return {
      length,
      blob: null,
      fill: async (at: number, into: Uint8Array) =>
        into.set(this.bytes.subarray(offset + at, offset + at + into.length)),
    };
  }

  async stat() {
    return { sizeBytes: this.bytes.length, modifiedMs: this.modifiedNowMs, identity: this.identityNow };
  }
}

export class TestResumeStore implements ResumeStore {
  readonly records = new Map<string, ResumeRecord>();

  async load({ location }: ResumeKey): Promise<ResumeRecord | null> {
    return this.records.get(location) ?? null;
  }

  async save(record: ResumeRecord): Promise<void> {
    this.records.set(record.location, record);
  }

  async forget({ location }: ResumeKey): Promise<void> {
    this.records.delete(location);
  }
}
