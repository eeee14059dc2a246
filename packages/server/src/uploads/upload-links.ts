/** Upload links: used by an instrument PC instead of a token. A link permits uploads and no reads. */
import { createHash, randomBytes } from 'node:crypto';
import { UploadError } from '@cryolift/protocol/errors';
import type { LinkPage, LinkRecord } from '@cryolift/protocol/messages';
import { toPage } from '../db/page.ts';
import type { LinkRow } from '../db/tables.ts';
import {
  deleteLink,
  deleteLinksOf,
  findLink,
  findLinkById,
  insertLink,
  listLinks,
  sumByLinks,
  UNUSED,
} from '../db/uploads/links.ts';
import { type AccessScope, canAccess, type UploadContext } from './context.ts';
import { toTime } from './upload-record.ts';

export interface UploadLink {
  readonly id: string;
  readonly owner: string;
  /** Limit for all its uploads together; null: no limit. */
  readonly maxBytes: number | null;
  readonly maxFiles: number | null;
  /** What it is for, for people; null: nothing. */
  readonly note: string | null;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export interface LinkRequest {
  /** Its lifetime. */
  readonly seconds: number;
  /** Limit for all its uploads together; null: no limit. */
  readonly maxBytes: number | null;
  readonly maxFiles: number | null;
  readonly note: string | null;
}

/** Prefix of the tokens of links. */
const PREFIX = 'cl_link_';
const TOKEN = new RegExp(`^${PREFIX}[\\w-]{43}$`);
/** Limit of links per owner, including expired ones whose rows exist. */
const MAX_PER_OWNER = 1_000;

export function isLinkToken(token: string): boolean {
  return TOKEN.test(token);
}

/**
 * @returns the link and its token, of which only the digest is stored.
 * @throws UploadError `invalid_request` when its lifetime exceeds the limit of the server; `quota_exceeded`.
 */
export async function makeLink(
  context: UploadContext,
  owner: string,
  request: LinkRequest,
): Promise<{ link: UploadLink; token: string }> {
  const maxSeconds = context.policy.maxLinkMs / 1000;
  if (request.seconds > maxSeconds) {
    throw new UploadError('invalid_request', `On this server a link is valid for at most ${maxSeconds} seconds.`);
  }
  const token = PREFIX + randomBytes(32).toString('base64url');
  const now = context.now();
  const row: LinkRow = {
    id: context.newId(),
    owner,
    token_sha256: digest(token),
    max_bytes: request.maxBytes,
    max_files: request.maxFiles,
    note: request.note,
    created_at: now,
    expires_at: now + request.seconds * 1000,
  };
  if (!(await insertLink(context.db, row, MAX_PER_OWNER))) {
    throw new UploadError('quota_exceeded', `You have ${MAX_PER_OWNER} upload links, and may have no more.`, {
      hint: 'Revoke some of them: GET /links lists yours.',
    });
  }
  context.log.info({ link_id: row.id }, 'upload link created');
  return { link: toUploadLink(context, row), token };
}

/** @throws UploadError `unauthenticated` when there is no such link (any more); `token_expired`. */
export async function openLink(context: UploadContext, token: string): Promise<UploadLink> {
  const row = await findLink(context.db, digest(token));
  if (!row) throw new UploadError('unauthenticated', 'This upload link does not exist; it may have been revoked.');
  const link = toUploadLink(context, row);
  if (link.expiresAtMs > context.now()) return link;
  throw new UploadError('token_expired', 'This upload link has expired.', {
    hint: 'Ask for a new one. Finished uploads are kept.',
  });
}

/** Revokes a link at once. Its uploads stay with the owner. @throws UploadError `not_found`. */
export async function revokeLink(context: UploadContext, access: AccessScope, id: string): Promise<void> {
  const link = await findLinkById(context.db, id);
  if (!link || !canAccess(access, link.owner)) throw new UploadError('not_found', `There is no upload link ${id}.`);
  await deleteLink(context.db, id);
  context.log.info({ link_id: id }, 'upload link revoked');
}

/** Revokes all links of an owner. @returns the number of links, including expired ones. */
export async function revokeLinksOf(context: UploadContext, owner: string): Promise<number> {
  const count = await deleteLinksOf(context.db, owner);
  context.log.info({ links: count }, 'all upload links of an owner revoked');
  return count;
}

/** Newest first, including expired ones until their rows are deleted. @param owner null: all owners. */
export async function pageOfLinks(
  context: UploadContext,
  owner: string | null,
  { cursor, limit }: { cursor?: string | undefined; limit: number },
): Promise<LinkPage> {
  const rows = await listLinks(context.db, owner, { before: cursor, limit: limit + 1 });
  const page = toPage(rows, limit, (row) => row.id);
  const ids = page.items.map(({ id }) => id);
  const used = await sumByLinks(context.db, ids);
  return {
    ...page,
    items: page.items.map((row) => toLinkRecord(toUploadLink(context, row), used.get(row.id) ?? UNUSED)),
  };
}

function toLinkRecord(link: UploadLink, used: { bytes: number; files: number }): LinkRecord {
  return {
    link_id: link.id,
    owner: link.owner,
    created_at: toTime(link.createdAtMs),
    expires_at: toTime(link.expiresAtMs),
    max_bytes: link.maxBytes,
    max_files: link.maxFiles,
    note: link.note,
    used_bytes: used.bytes,
    used_files: used.files,
  };
}

/** A lower maximum lifetime also applies to existing links. */
function toUploadLink({ policy }: UploadContext, row: LinkRow): UploadLink {
  return {
    id: row.id,
    owner: row.owner,
    maxBytes: row.max_bytes,
    maxFiles: row.max_files,
    note: row.note,
    createdAtMs: row.created_at,
    expiresAtMs: Math.min(row.expires_at, row.created_at + policy.maxLinkMs),
  };
}

function digest(token: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(token).digest());
}
