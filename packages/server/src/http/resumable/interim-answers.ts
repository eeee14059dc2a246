/** Answers of status 104, "Upload Resumption Supported", while a request is under way. */
import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { STATUS_CODES } from '../node-http.ts';
import type { Spoken } from './interop.ts';

const RESUMPTION_SUPPORTED = 104;
// Node prints the name of the status from this table, and has none for this one.
STATUS_CODES[RESUMPTION_SUPPORTED] ??= 'Upload Resumption Supported';
/** Progress is reported at most this often. */
const PROGRESS_MS = 500;

export class InterimAnswers {
  readonly #response: ServerResponse;
  readonly #spoken: Spoken;
  readonly #canSend: boolean;
  #announced = false;
  #reportedMs = Number.NEGATIVE_INFINITY;

  /**
   * @param spoken no 104 is sent to a client that does not name a version that this server has.
   * @param isAllowed false: a proxy before this server takes an interim answer for the final one.
   */
  constructor({ raw }: FastifyRequest, reply: FastifyReply, spoken: Spoken, isAllowed: boolean) {
    this.#response = reply.raw;
    this.#spoken = spoken;
    // RFC 9110 section 15.2: clients of HTTP/1.0 know no interim answers.
    this.#canSend = isAllowed && spoken.isNamed && raw.httpVersionMajor === 1 && raw.httpVersionMinor >= 1;
  }

  /** A 104 with the Location was sent. */
  get isAnnounced(): boolean {
    return this.#announced;
  }

  /** Says where the upload is. @param limits `Upload-Limit`; null: the version has none. */
  announce(location: string, limits: string | null): void {
    if (!this.#canSend) return;
    this.#send({ Location: location, ...(limits !== null && { 'Upload-Limit': limits }) });
    this.#announced = true;
  }

  /** Says how many bytes are kept. Left out while the client does not read. */
  report(offset: number): void {
    const nowMs = performance.now();
    if (!this.#canSend || !this.#spoken.interop.reportsProgress || nowMs - this.#reportedMs < PROGRESS_MS) return;
    if (this.#response.socket?.writableLength !== 0) return;
    this.#reportedMs = nowMs;
    this.#send({ 'Upload-Offset': String(offset) });
  }

  #send(headers: Record<string, string>): void {
    const response = this.#response;
    if (response.headersSent || response.destroyed) return;
    response.writeInformation(RESUMPTION_SUPPORTED, {
      'Upload-Draft-Interop-Version': String(this.#spoken.interop.version),
      ...headers,
    });
  }
}
