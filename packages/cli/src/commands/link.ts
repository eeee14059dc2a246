/** `cryolift link`: an upload link, for a computer that is to bring files in and get nothing out. */
import { type ConnectionOptions, connect } from '../connection.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { Output } from '../output.ts';

export interface LinkFlags extends Omit<ConnectionOptions, 'link'> {
  json?: boolean;
  /** Seconds. */
  expires: number;
  maxBytes?: number;
  maxFiles?: number;
  /** Id of a link that is to open nothing any more. */
  revoke?: string;
}

export async function makeLink(flags: LinkFlags): Promise<ExitCode> {
  const { json, expires, maxBytes, maxFiles, revoke } = flags;
  const api = connect(flags, 'uploads:write');
  const output = new Output(json);
  if (revoke !== undefined) {
    await api.takeBackLink(revoke);
    output.result({ link_id: revoke, revoked: true }, () => `revoked ${revoke}`);
    return EXIT.done;
  }
  const link = await api.makeLink({
    expires_in: expires,
    ...(maxBytes === undefined ? {} : { max_bytes: maxBytes }),
    ...(maxFiles === undefined ? {} : { max_files: maxFiles }),
  });
  output.result(link, () => link.url);
  output.note(`good until ${link.expires_at}; cryolift link --revoke ${link.link_id} ends it before`);
  return EXIT.done;
}
