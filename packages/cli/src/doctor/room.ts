/** What the server has room for: asked by an upload that is cancelled at once, or refused with what is left. */
import type { Limits } from '@cryolift/protocol/messages';
import { TIB } from '@cryolift/protocol/plan';
import { formatBytes } from '../output/format.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { Trial } from './trial.ts';
import { readFailure, type Wire } from './wire.ts';

/** The size to ask for when none was requested: large enough to learn how much space is left. */
const MUCH_BYTES = TIB;
/** A tilt series or a movie stack fits. */
export const LITTLE_BYTES = 20 * 1024 ** 3;
export const MAKE_ROOM = '`cryolift ls` shows files and open uploads, `rm` and `cancel` end them.';
const MEND = `Free space on its storage, or wait: ${MAKE_ROOM}`;

/**
 * @param requestedBytes bytes that the server must have space for; null: no request.
 * @param leftBytes rest of the caller's quota. It bounds the question, so that the answer is about the storage.
 */
export async function checkRoom(
  wire: Wire,
  authorization: string,
  limits: Limits,
  requestedBytes: number | null,
  leftBytes: number,
): Promise<Finding> {
  const sizeBytes = Math.min(requestedBytes ?? Math.min(MUCH_BYTES, limits.max_file_size), leftBytes);
  const opened = await Trial.open(wire, authorization, { sizeBytes });
  if (opened instanceof Trial) {
    await opened.cancel();
    return ok('room', `the server has room for a file of ${formatBytes(sizeBytes)}`);
  }
  const failure = readFailure(opened);
  const refused = `the server takes no file of ${formatBytes(sizeBytes)}`;
  if (!failure)
    return fail('room', `${refused}: a proxy answers ${opened.status}`, 'Let it pass POST requests on as they are.');
  const availableBytes = failure.details?.available;
  if (failure.code !== 'insufficient_storage' || typeof availableBytes !== 'number') {
    return fail('room', `${refused}: ${failure.code}: ${failure.message}`, failure.hint);
  }
  const found = `the server has room for ${formatBytes(availableBytes)}`;
  if (requestedBytes !== null) return fail('room', `${found}, not for ${formatBytes(requestedBytes)}`, MEND);
  return availableBytes < LITTLE_BYTES ? warn('room', found, MEND) : ok('room', found);
}
