/** Upload links: what an instrument PC is given instead of a token. A link brings files in and gets nothing out. */
import { createHash, randomBytes } from 'node:crypto';
import { UploadError } from '@cryolift/protocol/errors';
import { deleteLink, findLink, findLinkById, insertLink } from '../db/links.ts';
import type { LinkRow } from '../db/tables.ts';
import { type Reach, reaches, type UploadRoom } from './room.ts';

export type { LinkRow };

export interface LinkRequest {
  /** How long it is good for. */
  readonly seconds: number;
  /** Of all that is begun with it; null: no bound of its own. */
  readonly maxBytes: number | null;
  readonly maxFiles: number | null;
}

/** Tells a link's token from all others. */
const PREFIX = 'cl_link_';
const TOKEN = new RegExp(`^${PREFIX}[\\w-]{43}$`);

export function isLinkToken(token: string): boolean {
  return TOKEN.test(token);
}

/** @returns the link, and the one copy of its token: what is kept is its digest. */
export async function makeLink(room: UploadRoom, owner: string, request: LinkRequest) {
  const token = PREFIX + randomBytes(32).toString('base64url');
  const now = room.now();
  const link: LinkRow = {
    id: room.newId(),
    owner,
    token_sha256: digest(token),
    max_bytes: request.maxBytes,
    max_files: request.maxFiles,
    created_at: now,
    expires_at: now + request.seconds * 1000,
  };
  await insertLink(room.db, link);
  room.log.info({ link_id: link.id }, 'upload link made');
  return { link, token };
}

/** @throws UploadError `unauthenticated` when there is no such link (any more); `token_expired`. */
export async function openLink(room: UploadRoom, token: string): Promise<LinkRow> {
  const link = await findLink(room.db, digest(token));
  if (!link) throw new UploadError('unauthenticated', 'There is no such upload link; it may have been taken back.');
  if (link.expires_at > room.now()) return link;
  throw new UploadError('token_expired', 'This upload link has expired.', {
    hint: 'Ask for a new one. What was uploaded whole is kept.',
  });
}

/** From here on the link opens nothing. What was begun with it stays its owner's. @throws UploadError `not_found`. */
export async function takeBackLink(room: UploadRoom, reach: Reach, id: string): Promise<void> {
  const link = await findLinkById(room.db, id);
  if (!link || !reaches(reach, link.owner)) throw new UploadError('not_found', `There is no upload link ${id}.`);
  await deleteLink(room.db, id);
  room.log.info({ link_id: id }, 'upload link taken back');
}

function digest(token: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(token).digest());
}
