/** An upload of a few random parts, marked as a trial. It is always cancelled, and the server then removes it. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { printDigestHeader } from '@cryolift/protocol/digest';
import type { PartReceipt, UploadRecord } from '@cryolift/protocol/messages';
import { Refusal } from '../process/exit.ts';
import { type Answer, type Exchange, readJson, type Wire } from './wire.ts';

const PATH = '/uploads/init';

export class Trial {
  readonly upload: UploadRecord;
  readonly #wire: Wire;
  readonly #authorization: string;

  private constructor(wire: Wire, authorization: string, upload: UploadRecord) {
    this.#wire = wire;
    this.#authorization = authorization;
    this.upload = upload;
  }

  /** @returns the answer when the server opens no upload. @param partSizeBytes the part size to request. */
  static async open(
    wire: Wire,
    authorization: string,
    size: { sizeBytes: number; partSizeBytes?: number },
  ): Promise<Trial | Answer> {
    const request = {
      filename: 'cryolift-doctor.mrc',
      size: size.sizeBytes,
      trial: true,
      ...(size.partSizeBytes === undefined ? {} : { part_size: size.partSizeBytes }),
    };
    const headers = { authorization, 'idempotency-key': randomUUID() };
    const open = async (over: Wire) =>
      Trial.#read(wire, authorization, await over.askJson('POST', PATH, headers, request));
    try {
      return await open(wire);
    } catch (error) {
      // The lost answer may have reported a started upload: the same key finds it again.
      const again = await open(wire.uninterrupted()).catch(() => null);
      if (again instanceof Trial) await again.cancel();
      throw error;
    }
  }

  static #read(wire: Wire, authorization: string, answer: Answer): Trial | Answer {
    const upload = readJson(answer) as UploadRecord | null;
    const isOpen = answer.status < 300 && typeof upload?.upload_id === 'string';
    return isOpen ? new Trial(wire, authorization, upload) : answer;
  }

  /** Starts to store a part. @param headers are added to the default headers, or replace them. */
  begin(idx: number, part: Part, headers: Readonly<Record<string, string>> = {}): Exchange {
    return this.#wire.begin('PUT', `/uploads/${this.upload.upload_id}/part/${idx}`, {
      authorization: this.#authorization,
      'content-type': 'application/octet-stream',
      'content-length': String(part.bytes.length),
      'content-digest': part.contentDigest,
      ...headers,
    });
  }

  /** Also works after an interruption. @throws Refusal when the upload may still exist. */
  async cancel(): Promise<void> {
    const { upload_id, expires_at } = this.upload;
    const headers = { authorization: this.#authorization };
    const answer = await this.#wire
      .uninterrupted()
      .ask('DELETE', `/uploads/${upload_id}`, headers)
      .catch(() => null);
    if (answer?.status === 204) return;
    const hint = `\`cryolift cancel ${upload_id}\` ends it; otherwise it expires at ${expires_at}.`;
    throw new Refusal('trial_left', 'The trial upload could not be cancelled.', hint);
  }
}

export interface Part {
  readonly bytes: Uint8Array;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly contentDigest: string;
}

/** A part of random bytes, which cannot be compressed. */
export function makePart(sizeBytes: number): Part {
  const bytes = randomBytes(sizeBytes);
  const digest = createHash('sha256').update(bytes).digest();
  return { bytes, sha256: digest.toString('hex'), contentDigest: printDigestHeader(digest) };
}

/** @returns null when the part was not stored. */
export function readReceipt(answer: Answer): PartReceipt | null {
  const receipt = readJson(answer) as PartReceipt | null;
  return answer.status < 300 && typeof receipt?.sha256 === 'string' ? receipt : null;
}
