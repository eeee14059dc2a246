/** `cryolift link`: makes, lists and revokes upload links. */
import type { LinkRecord, RevokedLinks } from '@cryolift/protocol/messages';
import { type ConnectionOptions, connect } from '../connection/connection.ts';
import { formatBytes, formatWhen } from '../output/format.ts';
import { collectPages, isCount, isObject, printList } from '../output/listing.ts';
import { Output } from '../output/output.ts';
import { printable } from '../output/printable.ts';
import { EXIT, type ExitCode, UsageError } from '../process/exit.ts';

export interface LinkFlags extends Omit<ConnectionOptions, 'link'> {
  json?: boolean;
  /** Seconds; undefined: the default of the server. */
  expires?: number;
  maxBytes?: number;
  maxFiles?: number;
  note?: string;
  /** The id of a link to revoke. */
  revoke?: string;
}

export async function makeLink(flags: LinkFlags): Promise<ExitCode> {
  const { json, expires, maxBytes, maxFiles, note, revoke } = flags;
  const api = connect(flags, 'uploads:write');
  const output = new Output(json);
  if (revoke !== undefined) {
    await api.revokeLink(revoke);
    output.result({ link_id: revoke, revoked: true }, () => `revoked ${revoke}`);
    return EXIT.done;
  }
  const link = await api.makeLink({
    ...(expires === undefined ? {} : { expires_in: expires }),
    ...(maxBytes === undefined ? {} : { max_bytes: maxBytes }),
    ...(maxFiles === undefined ? {} : { max_files: maxFiles }),
    ...(note === undefined ? {} : { note }),
  });
  output.result(link, () => link.url);
  output.note(`valid until ${link.expires_at}; to revoke it: cryolift link --revoke ${link.link_id}`);
  return EXIT.done;
}

type Flags = Omit<ConnectionOptions, 'link'> & { json?: boolean };

export async function listLinks(flags: Flags): Promise<ExitCode> {
  return printLinks(flags, await collectPages<LinkRecord>(connect(flags, 'uploads:write'), '/links'));
}

/** @throws UsageError unless either ids or `--all` are given. */
export async function revokeLinks(ids: readonly string[], flags: Flags & { all?: boolean }): Promise<ExitCode> {
  if (ids.length > 0 === (flags.all ?? false)) throw new UsageError('give the ids of links or --all');
  const api = connect(flags, 'uploads:write');
  const output = new Output(flags.json);
  if (flags.all) {
    const answer = await api.call(isRevoked, 'DELETE', '/links');
    output.result(answer, () => `revoked ${answer.revoked} links`);
  }
  for (const id of ids) {
    await api.revokeLink(id);
    output.result({ link_id: id, revoked: true }, () => `revoked ${id}`);
  }
  return EXIT.done;
}

export const isRevoked = (value: unknown): value is RevokedLinks =>
  isObject<RevokedLinks>(value) && isCount(value.revoked);

export function printLinks(flags: Flags, links: readonly LinkRecord[]): ExitCode {
  const nowMs = Date.now();
  const hasNotes = links.some(({ note }) => note !== null);
  const head = ['LINK', 'OWNER', 'MADE', 'ENDS', 'USED', 'OF', 'FILES', 'OF', ...(hasNotes ? ['NOTE'] : [])];
  const rows = links.map((each) => [
    each.link_id,
    each.owner,
    formatWhen(each.created_at, nowMs),
    formatWhen(each.expires_at, nowMs),
    formatBytes(each.used_bytes),
    each.max_bytes === null ? '–' : formatBytes(each.max_bytes),
    String(each.used_files),
    each.max_files === null ? '–' : String(each.max_files),
    ...(hasNotes ? [printable(each.note ?? '–')] : []),
  ]);
  return printList(flags, links, head, rows, 'no upload links');
}
