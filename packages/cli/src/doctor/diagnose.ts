/** All checks, in the order of their dependencies. */
import { ConnectionError, type GetToken } from '@cryolift/client';
import type { Limits } from '@cryolift/protocol/messages';
import type { ChosenProxy } from '../connection/proxy.ts';
import { NoTokenError, Refusal, SignedOutError } from '../process/exit.ts';
import { checkClock } from './clock.ts';
import { type Finding, fail, ok } from './finding.ts';
import { checkSpace } from './free-space.ts';
import { checkStateFolder } from './local.ts';
import { checkBodyLimit, checkBuffering, type Passage } from './path.ts';
import { checkQuota } from './quota.ts';
import { checkReach } from './reach.ts';
import { isOfProxy, refusedByProxy } from './refused-by-proxy.ts';
import { checkLimits, checkReady, checkServer } from './server.ts';
import { checkAuthorised, checkToken } from './token.ts';
import { checkBytes, checkDigest, checkExpect, checkLongRequest, checkSpeed } from './transit.ts';
import { makePart, Trial } from './trial.ts';
import { type Answer, readFailure, Wire } from './wire.ts';

export interface Patient {
  /** URL. */
  readonly server: string;
  /** The proxy that leads to it. */
  readonly proxy: ChosenProxy | null;
  readonly getToken: GetToken;
  /** True when the command line renews the token before it expires: it signs it, or somebody has signed in. */
  readonly isRenewing: boolean;
  readonly stateFolder: string;
  /** How long to wait for an answer that should come at once, milliseconds. */
  readonly retryForMs: number;
  /** Size in bytes that the server must have space for; null: no requirement. */
  readonly neededSpaceBytes: number | null;
  /** Seconds that a part must be allowed to take; null: not tested. */
  readonly slowSeconds: number | null;
}

/**
 * Yields each finding at once. After a failure, the checks that depend on it are not run. On the server only lines in
 * its log and its audit remain.
 */
export async function* diagnose(patient: Patient, signal: AbortSignal): AsyncGenerator<Finding> {
  const wire = new Wire(patient.server, patient.proxy?.url ?? null, signal);
  yield ok('node', `Node ${process.version} on ${process.platform}`);
  yield await checkStateFolder(patient.stateFolder);
  const token = await findToken(patient.getToken);
  const said = typeof token === 'string' ? checkToken(token, Date.now(), patient.isRenewing) : token;
  if (said) yield said;
  for await (const finding of checkReach(wire.base, patient.proxy, signal)) {
    yield finding;
    if (finding.outcome === 'fail') return;
  }

  const asked = (path: string) => wire.ask('GET', path).catch((error: unknown) => noAnswer('server', error, signal));
  const health = await asked('/healthz');
  const server = 'check' in health ? health : checkHealth(health, wire.base, patient.proxy);
  yield server;
  if ('check' in health || server.outcome === 'fail') return;
  yield checkClock(health);
  const ready = await asked('/readyz');
  yield 'check' in ready ? ready : checkReady(ready);
  const reply = await asked('/limits');
  const { finding, limits } = 'check' in reply ? { finding: reply, limits: null } : checkLimits(reply);
  yield finding;
  if (limits === null) return;

  const authorization = `Bearer ${typeof token === 'string' ? token : 'none'}`;
  let authorised = said !== null && said.outcome !== 'fail';
  if (authorised) {
    const taken = await attempt('authorised', signal, () => checkAuthorised(wire, authorization));
    yield taken;
    authorised = taken.outcome === 'ok';
  }
  const passage = { wire, authorization, retryForMs: patient.retryForMs };
  yield await attempt('buffering', signal, () => checkBuffering(passage));
  const bodyLimit = await attempt('body_limit', signal, () => checkBodyLimit(passage, limits));
  yield bodyLimit;
  if (!authorised) return;
  const neededBytes = trialBytes(limits.min_part_size);
  const asking = checkQuota(wire, authorization, neededBytes, patient.neededSpaceBytes);
  const quota = await asking.catch((error: unknown) => noAnswer('quota', error, signal));
  if ('check' in quota) {
    yield quota;
    return;
  }
  if (quota.finding) yield quota.finding;
  const { leftBytes } = quota;
  if (leftBytes < neededBytes) return;
  yield await attempt('room', signal, () =>
    checkSpace(wire, authorization, limits, patient.neededSpaceBytes, leftBytes),
  );
  yield* tryParts(patient, passage, { limits, leftBytes, fullPass: bodyLimit.outcome !== 'fail' }, signal);
}

/** The answer may come from the proxy. */
function checkHealth(answer: Answer, server: URL, proxy: ChosenProxy | null): Finding {
  const isForeign = readFailure(answer) === null;
  if (proxy && isForeign && isOfProxy(answer.status)) return refusedByProxy('server', server, proxy, answer.status);
  return checkServer(answer);
}

/**
 * Parts of the trial: some of the default size, and a small last one that is sent several times. The first part, which
 * must contain an MRC header, is never sent.
 */
const PARTS = { speed: [1, 2, 3, 4], slow: 5, small: 6 } as const;
const SMALL_BYTES = 4096;
/** Used when the part size of the server is larger and the server permits this one. */
const ENOUGH_BYTES = 16 * 1024 * 1024;

function trialBytes(partSizeBytes: number): number {
  return PARTS.small * partSizeBytes + SMALL_BYTES;
}

/**
 * @param bounds.leftBytes of the caller's quota.
 * @param bounds.fullPass true when parts of full size reach the server.
 */
async function* tryParts(
  { slowSeconds }: Patient,
  { wire, authorization, retryForMs }: Passage,
  bounds: { limits: Limits; leftBytes: number; fullPass: boolean },
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const { part_size, min_part_size } = bounds.limits;
  const affordableBytes = Math.floor((bounds.leftBytes - SMALL_BYTES) / PARTS.small);
  const partSizeBytes = Math.max(min_part_size, Math.min(part_size, ENOUGH_BYTES, affordableBytes));
  const size = { sizeBytes: trialBytes(partSizeBytes), partSizeBytes };
  const trial = await Trial.open(wire, authorization, size).catch((error) => noAnswer('upload', error, signal));
  if (!(trial instanceof Trial)) {
    yield 'check' in trial ? trial : notOpened(trial);
    return;
  }
  try {
    const small = makePart(SMALL_BYTES);
    const stored = await attempt('bytes', signal, () => checkBytes(trial, PARTS.small, small));
    yield stored;
    if (stored.outcome === 'fail') return;
    yield await attempt('digest', signal, () => checkDigest(trial, PARTS.small, small));
    yield await attempt('expect', signal, () => checkExpect(trial, PARTS.small, small, retryForMs));
    if (!bounds.fullPass) return;
    const full = makePart(trial.upload.part_size);
    const speed = await attempt('speed', signal, () => checkSpeed(trial, PARTS.speed, full));
    yield speed;
    if (slowSeconds === null || speed.outcome === 'fail') return;
    yield await checkLongRequest(trial, PARTS.slow, full, slowSeconds, signal);
  } finally {
    await trial.cancel();
  }
}

function notOpened(answer: Answer): Finding {
  const failure = readFailure(answer);
  if (failure) return fail('upload', `an upload cannot be started: ${failure.code}: ${failure.message}`, failure.hint);
  return fail(
    'upload',
    `a proxy refuses to start an upload (${answer.status})`,
    'Let the proxy pass POST requests on unchanged.',
  );
}

/** A check without an answer fails. */
async function attempt(check: string, signal: AbortSignal, run: () => Promise<Finding>): Promise<Finding> {
  return await run().catch((error: unknown) => noAnswer(check, error, signal));
}

/** @throws the reason of `signal` once it is aborted. */
function noAnswer(check: string, error: unknown, signal: AbortSignal): Finding {
  signal.throwIfAborted();
  if (error instanceof Refusal) return fail(check, error.message, error.hint);
  const { code, message } = error as NodeJS.ErrnoException;
  const mend = 'The log of the server, or of the proxy in front of it, says why the connection is closed.';
  return fail(check, `connected, but no answer (${code ?? message})`, mend);
}

const GIVE_ONE =
  'Sign in with `cryolift login`, or give --token @FILE or CRYOLIFT_TOKEN; `cryolift token` on the server makes one.';

/** @returns the problem; null when the server does not answer, which a later check reports. */
async function findToken(getToken: GetToken): Promise<string | Finding | null> {
  try {
    return await getToken(false);
  } catch (error) {
    if (error instanceof NoTokenError || error instanceof SignedOutError) return fail('token', error.message, GIVE_ONE);
    if (error instanceof ConnectionError) return null;
    throw error;
  }
}
