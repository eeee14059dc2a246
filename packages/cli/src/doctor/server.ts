/** Checks whether a Cryolift server answers, whether it is ready, and its limits. */

import type { Limits } from '@cryolift/protocol/messages';
import { MAX_PART_COUNT } from '@cryolift/protocol/plan';
import { formatBytes } from '../output/format.ts';
import { type Finding, fail, ok, warn } from './finding.ts';
import { type Answer, readFailure, readJson } from './wire.ts';

/** @param answer to `GET /healthz`. */
export function checkServer(answer: Answer): Finding {
  const { status, headers, httpVersion } = answer;
  const failure = readFailure(answer);
  if (failure) return fail('server', `it answers ${status} ${failure.code}: ${failure.message}`, failure.hint);
  if (status !== 200 || readJson(answer)?.status !== 'ok') return foreign(answer);
  if (httpVersion === '1.1')
    return ok('server', `a server answers, ${headers.server ? `through ${headers.server}` : 'by HTTP/1.1'}`);
  return warn('server', `the answer is HTTP/${httpVersion}`, 'Let the proxy speak HTTP/1.1 to clients: parts need it.');
}

function foreign({ status, headers }: Answer): Finding {
  const who = `${headers.server ?? 'another program'} answers (${status}), not a Cryolift server`;
  if (status >= 300 && status < 400 && headers.location) {
    return fail(
      'server',
      `${who}: it redirects to ${headers.location}`,
      'Use the URL of the redirect if that is the server.',
    );
  }
  if (status >= 502 && status <= 504) {
    return fail(
      'server',
      who,
      'A proxy cannot reach the server behind it: check that the server runs, and its address in the proxy.',
    );
  }
  if (status === 401 || status === 403 || status === 407) {
    return fail('server', who, 'A proxy asks for its own login: let requests to Cryolift through without it.');
  }
  return fail(
    'server',
    who,
    'Check host, port and path of the URL, and which requests a proxy passes on to the server.',
  );
}

/** @param answer to `GET /readyz`. */
export function checkReady(answer: Answer): Finding {
  const failure = readFailure(answer);
  if (failure) return fail('ready', `not ready: ${failure.code}: ${failure.message}`, failure.hint);
  const { status, version } = readJson(answer) ?? {};
  if (answer.status !== 200 || status !== 'ready') return { ...foreign(answer), check: 'ready' };
  return ok('ready', `Cryolift ${version}: its database and its storage answer`);
}

/** @param answer to `GET /limits`. @returns the limits too, when they are those of a Cryolift. */
export function checkLimits(answer: Answer): { finding: Finding; limits: Limits | null } {
  const limits = readJson(answer) as Limits | null;
  if (answer.status !== 200 || limits === null || !arePlausible(limits)) {
    return { finding: { ...foreign(answer), check: 'limits' }, limits: null };
  }
  const { max_file_size, part_size } = limits;
  const found = `files up to ${formatBytes(max_file_size)}, in parts of ${formatBytes(part_size)} or more`;
  return { finding: ok('limits', found), limits };
}

function arePlausible({ max_file_size, min_part_size, part_size, max_part_size, max_part_count }: Limits): boolean {
  return (
    [max_file_size, min_part_size, part_size, max_part_size].every(Number.isSafeInteger) &&
    0 < min_part_size &&
    min_part_size <= part_size &&
    part_size <= max_part_size &&
    max_part_count === MAX_PART_COUNT
  );
}
