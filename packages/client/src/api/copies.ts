/** Calls about files that the server has already. */
import type { CopyRequest, FileRecord, KnownFiles, UploadRecord } from '@cryolift/protocol/messages';
import { sleep } from '../pacing/retry-policy.ts';
import type { Api } from './api.ts';
import type { CallOptions } from './authorized-transport.ts';
import { isFile, isKnownFiles, isUploadRecord, type Shape } from './shapes.ts';

/** The limit of the server for one call. */
const MOST_ASKED = 1000;

export type KnownFile = KnownFiles['items'][number];

/**
 * Which of these files the caller has on the server already, up to 1,000 with each call. Throws as the calls of `Api` do.
 *
 * @param files SHA-256 (hex) and size (bytes) of each.
 */
export async function findKnownFiles(
  api: Api,
  files: readonly { readonly sha256: string; readonly size: number }[],
  options?: CallOptions,
): Promise<KnownFile[]> {
  const known: KnownFile[] = [];
  for (let from = 0; from < files.length; from += MOST_ASKED) {
    const asked = files.slice(from, from + MOST_ASKED).map(({ sha256, size }) => ({ sha256, size }));
    const { items } = await api.call(isKnownFiles, 'POST', '/files/have', { files: asked }, options);
    known.push(...items);
  }
  return known;
}

/**
 * Makes another file of the bytes of a file on the server. Safe to repeat: the same file is not made twice. Throws as the
 * calls of `Api` do.
 *
 * @param request what is not given is as the file has it.
 * @returns the record of the new file, or of the same one that was there.
 */
export async function copyFile(
  api: Api,
  fileId: string,
  request: NonNullable<CopyRequest> = {},
  options: CallOptions = {},
): Promise<FileRecord> {
  const path = `/files/${encodeURIComponent(fileId)}/copy`;
  const answer = await api.call(isCopy, 'POST', path, request, options);
  if (isFile(answer)) return answer;
  for (;;) {
    const completion = await api.complete(answer.upload_id, undefined, options);
    if (completion.kind === 'completed') return completion.file;
    await sleep(completion.waitSeconds * 1000, options.signal);
  }
}

const isCopy: Shape<FileRecord | UploadRecord> = (value): value is FileRecord | UploadRecord =>
  isFile(value) || isUploadRecord(value);
