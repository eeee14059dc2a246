/** Checks the free space of the server: starts an upload that is cancelled at once, or refused with the free space. */
import type { Limits } from '@cryolift/protocol/messages';
import { TIB } from '@cryolift/protocol/plan';
import { formatBytes } from '../output/format.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { Trial } from './trial.ts';
import { readFailure, type Wire } from './wire.ts';

/** The default size to ask for. It is so large that a refusal reports the free space. */
const MUCH_BYTES = TIB;
/** Enough for a tilt series or a movie stack. */
export const LITTLE_BYTES = 20 * 1024 ** 3;
export const MAKE_SPACE = '`cryolift ls` lists files and open uploads; delete them with `rm` and `cancel`.';
const ADVICE = `Free space on its storage, or wait: ${MAKE_SPACE}`;

/**
 * @param requestedBytes bytes that the server must have space for; null: no request.
 * @param leftBytes rest of the caller's quota. It bounds the question, so that the answer is about the storage.
 */
export async function checkSpace(
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
    return ok('room', `the server has space for a file of ${formatBytes(sizeBytes)}`);
  }
  const failure = readFailure(opened);
  const refused = `the server refuses a file of ${formatBytes(sizeBytes)}`;
  if (!failure)
    return fail(
      'room',
      `${refused}: a proxy answers ${opened.status}`,
      'Let the proxy pass POST requests on unchanged.',
    );
  const availableBytes = failure.details?.available;
  if (failure.code !== 'insufficient_storage' || typeof availableBytes !== 'number') {
    return fail('room', `${refused}: ${failure.code}: ${failure.message}`, failure.hint);
  }
  const found = `the server has space for ${formatBytes(availableBytes)}`;
  if (requestedBytes !== null) return fail('room', `${found}, not for ${formatBytes(requestedBytes)}`, ADVICE);
  return availableBytes < LITTLE_BYTES ? warn('room', found, ADVICE) : ok('room', found);
}
