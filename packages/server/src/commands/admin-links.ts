/** `cryolift admin links`: upload links of every owner. */
import type { LinkRecord } from '@cryolift/protocol/messages';
import { type ConnectionOptions, connect } from 'cryolift/connection';
import { EXIT, type ExitCode } from 'cryolift/exit';
import { isRevoked, printLinks } from 'cryolift/links';
import { collectPages } from 'cryolift/listing';
import { Output } from 'cryolift/output';

type Flags = Omit<ConnectionOptions, 'link'> & { json?: boolean };

/** @param flags.owner undefined: those of every owner. */
export async function listAllLinks(flags: Flags & { owner?: string }): Promise<ExitCode> {
  const query = flags.owner === undefined ? '' : `?owner=${encodeURIComponent(flags.owner)}`;
  return printLinks(flags, await collectPages<LinkRecord>(connect(flags, 'admin'), `/admin/links${query}`));
}

export async function revokeLinksOf(owner: string, flags: Flags): Promise<ExitCode> {
  const path = `/admin/links?owner=${encodeURIComponent(owner)}`;
  const answer = await connect(flags, 'admin').call(isRevoked, 'DELETE', path);
  new Output(flags.json).result({ owner, ...answer }, () => `revoked ${answer.revoked} links of ${owner}`);
  return EXIT.done;
}
