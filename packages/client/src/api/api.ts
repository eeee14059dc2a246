/** Typed calls of a Cryolift server. */
import { printDigestHeader } from '@cryolift/protocol/digest';
import type {
  Caller,
  ConfirmedParts,
  FilePage,
  FileQuery,
  FileRecord,
  InitRequest,
  Limits,
  LinkRequest,
  PartReceipt,
  PreviewQuery,
  SignedDownload,
  SignedParts,
  Statistics,
  StoredPart,
  UploadLink,
  UploadPage,
  UploadRecord,
} from '@cryolift/protocol/messages';
import { MAX_PART_COUNT } from '@cryolift/protocol/plan';
import { ConnectionError, ForeignReplyError, foreignReply, SourceError } from '../failures.ts';
import type { LazyBody, Transport, WireRequest } from '../ports.ts';
import {
  AuthorizedTransport,
  type CallOptions,
  type GetToken,
  jsonBody,
  parse,
  retryAfterOf,
} from './authorized-transport.ts';
import { toQuery } from './query.ts';
import {
  isCaller,
  isConfirmedParts,
  isFile,
  isLimits,
  isPage,
  isPartPage,
  isReceipt,
  isSignedDownload,
  isSignedParts,
  isStatistics,
  isUploadLink,
  isUploadRecord,
  type Shape,
} from './shapes.ts';

/** A part to send. */
export interface Part {
  readonly idx: number;
  /** Offset in the file, bytes. */
  readonly offset: number;
  readonly body: Uint8Array<ArrayBuffer> | LazyBody;
  /** SHA-256 of its bytes. */
  readonly digest: Uint8Array;
  /** Sent in place of `body`; null: the part is sent as it is. */
  readonly encoded?: EncodedBody | null;
}

export interface EncodedBody {
  /** `Content-Encoding`. */
  readonly coding: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A signed request that stores one part. */
export type SignedPart = SignedParts['urls'][number];

/** A part that the object storage has taken. */
export interface PartClaim {
  readonly part: number;
  /** As the object storage answered. */
  readonly etag: string;
  /** Hex. */
  readonly sha256: string;
}

/** Maximum length of an error answer. */
const MAX_ERROR_BYTES = 1024 * 1024;

export type Completion = { kind: 'completed'; file: FileRecord } | { kind: 'verifying'; waitSeconds: number };

/**
 * Every call throws ServerError for an error answer, ConnectionError when no complete reply arrived, and the reason of
 * its signal when that is aborted. Nothing is retried.
 */
export class Api {
  readonly #transport: AuthorizedTransport;
  readonly #parts: AuthorizedTransport;
  #known: { readonly token: string; readonly owner: string } | null = null;

  /** @param parts for the bodies of parts, if they go another way. */
  constructor(transport: Transport, getToken: GetToken, parts = transport) {
    this.#transport = new AuthorizedTransport(transport, getToken);
    this.#parts = new AuthorizedTransport(parts, getToken);
  }

  async init(request: InitRequest, idempotencyKey: string, options: CallOptions = {}): Promise<UploadRecord> {
    const headers = { ...options.headers, 'idempotency-key': idempotencyKey };
    return await this.#transport.json(isUploadRecord, 'POST', '/uploads/init', request, { ...options, headers });
  }

  async upload(uploadId: string, options?: CallOptions): Promise<UploadRecord> {
    const path = `/uploads/${encodeURIComponent(uploadId)}`;
    return await this.#transport.json(isUploadRecord, 'GET', path, undefined, options);
  }

  async uploads(query: { status?: string; cursor?: string; limit?: number } = {}): Promise<UploadPage> {
    return await this.#transport.json(isPage(isUploadRecord), 'GET', `/uploads${toQuery(query)}`);
  }

  /** All stored parts of an upload, ascending, from all pages. */
  async storedParts(uploadId: string, options?: CallOptions): Promise<StoredPart[]> {
    const parts: StoredPart[] = [];
    let cursor: string | undefined;
    do {
      const path = `/uploads/${encodeURIComponent(uploadId)}/parts${toQuery({ limit: 1000, cursor })}`;
      const page = await this.#transport.json(isPartPage, 'GET', path, undefined, options);
      for (const part of page.items) parts.push(part);
      const isEndless = page.next_cursor !== null && (page.items.length === 0 || parts.length >= MAX_PART_COUNT);
      if (isEndless) throw new ForeignReplyError('the list of parts does not end');
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
    return parts;
  }

  async putPart(
    uploadId: string,
    { idx, offset, body, digest, encoded }: Part,
    options: CallOptions & Pick<WireRequest, 'expectContinue' | 'onSent'> = {},
  ): Promise<PartReceipt> {
    const reply = await this.#parts.send('PUT', `/uploads/${encodeURIComponent(uploadId)}/part/${idx}`, {
      ...options,
      body: encoded?.bytes ?? body,
      headers: {
        ...options.headers,
        'content-type': 'application/octet-stream',
        'upload-offset': String(offset),
        ...(encoded
          ? { 'content-encoding': encoded.coding, 'unencoded-digest': printDigestHeader(digest) }
          : { 'content-digest': printDigestHeader(digest) }),
      },
    });
    return parse(reply, isReceipt);
  }

  /** URLs of the object storage, for parts with these digests (hex). */
  async signParts(
    uploadId: string,
    parts: readonly { part: number; sha256: string }[],
    options?: CallOptions,
  ): Promise<SignedParts> {
    const path = `/uploads/${encodeURIComponent(uploadId)}/sign`;
    const body = { parts: parts.map(({ part }) => [part, part]), sha256: parts.map(({ sha256 }) => sha256) };
    return await this.#transport.json(isSignedParts, 'POST', path, body, options);
  }

  /** Confirms parts that the object storage has taken. Safe to repeat. */
  async confirmParts(uploadId: string, claims: readonly PartClaim[], options?: CallOptions): Promise<ConfirmedParts> {
    const path = `/uploads/${encodeURIComponent(uploadId)}/parts/confirm`;
    return await this.#transport.json(isConfirmedParts, 'POST', path, claims, options);
  }

  async complete(uploadId: string, sha256?: string, options: CallOptions = {}): Promise<Completion> {
    const body = sha256 === undefined ? {} : { sha256 };
    const reply = await this.#transport.send('POST', `/uploads/${encodeURIComponent(uploadId)}/complete`, {
      ...options,
      ...jsonBody(body, options.headers),
    });
    if (reply.status !== 202) return { kind: 'completed', file: parse(reply, isFile) };
    return { kind: 'verifying', waitSeconds: retryAfterOf(reply) ?? 2 };
  }

  async cancel(uploadId: string, options?: CallOptions): Promise<void> {
    await this.#transport.delete(`/uploads/${encodeURIComponent(uploadId)}`, options);
  }

  /** Searched and sorted; not given: all files, newest first. */
  async files(query: FileQuery = {}, options?: CallOptions): Promise<Pick<FilePage, 'items' | 'next_cursor'>> {
    return await this.#transport.json(isPage(isFile), 'GET', `/files${toQuery(query)}`, undefined, options);
  }

  async file(fileId: string, options?: CallOptions): Promise<FileRecord> {
    return await this.#transport.json(isFile, 'GET', `/files/${encodeURIComponent(fileId)}`, undefined, options);
  }

  /** A URL that permits anyone to download a file until it expires. @param expiresInSeconds up to 7 days. */
  async signFile(fileId: string, expiresInSeconds: number): Promise<SignedDownload> {
    const path = `/files/${encodeURIComponent(fileId)}/sign`;
    return await this.#transport.json(isSignedDownload, 'POST', path, { expires_in: expiresInSeconds });
  }

  async deleteFile(fileId: string): Promise<void> {
    await this.#transport.delete(`/files/${encodeURIComponent(fileId)}`);
  }

  /** Sets pairs of a file's metadata; the others stay. */
  async changeMetadata(
    fileId: string,
    metadata: Readonly<Record<string, string>>,
    options?: CallOptions,
  ): Promise<FileRecord> {
    return await this.#transport.json(isFile, 'PATCH', `/files/${encodeURIComponent(fileId)}`, { metadata }, options);
  }

  /**
   * Bytes `start` to `end` (inclusive) of a file.
   *
   * @param etag of the known version of the file.
   * @throws SourceError `integrity` when the server has another file under this id, or does not support ranges.
   */
  async content(fileId: string, start: number, end: number, etag: string, options?: CallOptions): Promise<Uint8Array> {
    const reply = await this.#transport.send('GET', `/files/${encodeURIComponent(fileId)}/content`, {
      ...options,
      headers: { range: `bytes=${start}-${end}`, 'if-range': etag },
      maxReplyBytes: Math.max(end - start + 1, MAX_ERROR_BYTES),
    });
    if (reply.status !== 206) {
      throw new SourceError(
        'integrity',
        `The server does not send bytes ${start} to ${end} of this file: it changed, or a proxy removes the Range header.`,
        'Start the download again; if this happens again, contact the administrator of the server.',
      );
    }
    if (reply.body.length === end - start + 1) return reply.body;
    throw new ConnectionError(`bytes ${start}-${end} were requested; ${reply.body.length} arrived`);
  }

  /**
   * A PNG picture of an MRC file, or of an upload once the parts that it shows are stored.
   *
   * @throws ServerError `overloaded` while it is being drawn, `not_found` when there is no such picture,
   * `upload_incomplete`.
   */
  async preview(
    of: { fileId: string } | { uploadId: string },
    query: PreviewQuery,
    options?: CallOptions,
  ): Promise<Uint8Array<ArrayBuffer>> {
    const place = 'fileId' in of ? ['files', of.fileId] : ['uploads', of.uploadId];
    const path = `/${place.map(encodeURIComponent).join('/')}/preview${toQuery(query)}`;
    const reply = await this.#transport.send('GET', path, options);
    if (reply.headers['content-type'] !== 'image/png') throw foreignReply(reply.status, reply.from);
    return new Uint8Array(reply.body);
  }

  /** @throws ServerError `overloaded` while they are being computed, `not_found` when the file has none. */
  async statistics(fileId: string, options?: CallOptions): Promise<Statistics> {
    const path = `/files/${encodeURIComponent(fileId)}/statistics`;
    return await this.#transport.json(isStatistics, 'GET', path, undefined, options);
  }

  /** A new upload link of the caller. Its `token` permits only uploads. */
  async makeLink(request: LinkRequest): Promise<UploadLink> {
    return await this.#transport.json(isUploadLink, 'POST', '/links', request ?? undefined);
  }

  async revokeLink(linkId: string): Promise<void> {
    await this.#transport.delete(`/links/${encodeURIComponent(linkId)}`);
  }

  /** The owner of the caller's uploads. */
  async whoami(options?: CallOptions): Promise<Caller> {
    return await this.#transport.json(isCaller, 'GET', '/whoami', undefined, options);
  }

  /** The owner of the uploads of these calls, as reported by the server. Requested once for each token. */
  async owner(options?: CallOptions): Promise<string> {
    const token = await this.#transport.token(options?.signal);
    if (this.#known?.token === token) return this.#known.owner;
    const { owner } = await this.whoami(options);
    this.#known = { token, owner };
    return owner;
  }

  async limits(options?: CallOptions): Promise<Limits> {
    return await this.#transport.json(isLimits, 'GET', '/limits', undefined, options);
  }

  /** A call without its own method: those of administrators. */
  async call<Message>(
    shape: Shape<Message>,
    method: string,
    path: string,
    body?: object,
    options?: CallOptions,
  ): Promise<Message> {
    return await this.#transport.json(shape, method, path, body, options);
  }

  /** The text of an answer that is no JSON message, of any length. */
  async text(path: string, options?: CallOptions, method: 'GET' | 'POST' = 'GET'): Promise<string> {
    const { body } = await this.#transport.send(method, path, { ...options, maxReplyBytes: Number.MAX_SAFE_INTEGER });
    return new TextDecoder().decode(body);
  }
}
