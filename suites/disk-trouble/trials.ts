/** What is tried: each kind of call of a running server, with each trouble of a disk. */
import type { ErrorCode } from '@cryolift/protocol/errors';
import type { DeploymentName } from '../crash-points/deployments.ts';
import { listServerSources } from '../crash-points/points.ts';
import { findCalls } from './calls.ts';

export const ERRNOS = ['ENOSPC', 'EDQUOT', 'EIO', 'EROFS'] as const;

/** `short`: half of the bytes are read or written. `stall`: the call does not return for a while. */
type Trouble = (typeof ERRNOS)[number] | 'short' | 'stall';

export interface Trial {
  /** As preload.mjs names it: `storage/disk/file-system.ts handle.sync`. */
  readonly call: string;
  readonly trouble: Trouble;
  /** Which of these calls is the first to fail, from 1. */
  readonly nth: number;
  /** It fails for a while, not once. */
  readonly lasts: boolean;
}

/** Modules that have no part in a running server, and where their trouble is tried. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'backup.ts': 'suites/disk-trouble/outside.test.ts',
  'commands/audit.ts': 'packages/server/src/commands/admin.test.ts',
  'config/places.ts': 'suites/disk-trouble/outside.test.ts',
  'config/secret.ts': 'suites/disk-trouble/outside.test.ts',
  'config/unix-socket.ts': 'suites/contract/operations/socket.test.ts',
  'config/values.ts': 'packages/server/src/config/values.test.ts',
  'db/sqlite/backup.ts': 'suites/disk-trouble/outside.test.ts',
  'flush.ts': 'suites/disk-trouble/outside.test.ts',
  'http/routes/install.ts': 'suites/contract/operations/install-page.test.ts',
  'ops/log-stream.ts': 'suites/contract/operations/log-failures.test.ts',
  'storage/disk/boot-id.ts': 'suites/disk-trouble/outside.test.ts',
  'storage/shared/mount-options.ts': 'packages/server/src/storage/shared/mount-options.test.ts',
  'storage/shared/owner-mark.ts': 'suites/disk-trouble/outside.test.ts',
  'storage/shared/probe-calls.ts': 'packages/server/src/storage/shared/probe.test.ts',
};

/** Calls of a running server that the workload does not come by, and where their trouble is tried. */
const UNREACHED: Readonly<Record<string, string>> = {
  'db/sqlite/reserve.ts open': 'suites/disks/full-disk.test.ts',
  'db/sqlite/reserve.ts handle.sync': 'suites/disks/full-disk.test.ts',
  'db/sqlite/reserve.ts handle.close': 'suites/disks/full-disk.test.ts',
  'db/sqlite/reserve.ts rm': 'suites/disks/full-disk.test.ts',
  'ops/audit.ts rm': 'packages/server/src/ops/audit.test.ts',
  'storage/disk/file-system.ts link': 'packages/server/src/storage/disk/disk-copies.test.ts',
  'storage/disk/file-system.ts rmdir': 'packages/server/src/storage/disk/disk-storage.test.ts',
};

/** That only read: without space they fail as with any other code. */
const READING = ['closeSync', 'fstatSync', 'handle.read', 'handle.stat', 'open', 'openSync', 'readFile', 'readSync'];
const READING_NAMES = [...READING, 'readdir', 'stat', 'statfs'];
const HALVED = ['handle.read', 'handle.write', 'readSync', 'writeSync'];
/** What keeps the bytes of acknowledged parts: after it has failed, they may be asked for again. */
const FLUSHING = ['handle.sync', 'fdatasync'];
/** They write beside the files: no client notices. */
const ASIDE = /^(ops\/audit|db\/sqlite\/reserve)\.ts /;

/** A file of the audit stays open: it is opened again after a failed write. */
const AUDIT_WRITE = 'ops/audit.ts handle.write';

/** A call that has to fail once before, so that this one is made; null: none. */
export function findBefore({ call }: Pick<Trial, 'call'>): string | null {
  return call.startsWith('ops/audit.ts ') && call !== AUDIT_WRITE ? AUDIT_WRITE : null;
}

/** All kinds that the sources have, `MODULE NAME`. */
export function readKinds(): string[] {
  return listServerSources().flatMap(({ path, text }) => findCalls(text).map((name) => `${path} ${name}`));
}

/** Why a kind is not tried on a running server; null: it is. */
export function whereElse(kind: string): string | null {
  return ELSEWHERE[kind.split(' ', 1)[0] as string] ?? UNREACHED[kind] ?? null;
}

/** What is said to be elsewhere. */
export function listElsewhere(): [string, string][] {
  return [...Object.entries(ELSEWHERE), ...Object.entries(UNREACHED)];
}

/** Opening a file for writing is a call of its own where a module does both. */
const ALSO_FOR_WRITING = ['storage/disk/file-system.ts open', 'ops/audit.ts open'];
const ONLY_FOR_WRITING = ['ops/audit.ts open'];

/** The calls of a running server that are tried. */
export function listCalls(): string[] {
  return readKinds()
    .filter((kind) => whereElse(kind) === null)
    .flatMap((kind) => [
      ...(ONLY_FOR_WRITING.includes(kind) ? [] : [kind]),
      ...(ALSO_FOR_WRITING.includes(kind) ? [`${kind} for writing`] : []),
    ]);
}

/** The whole product, of the first occurrence of each call. */
export function listTrials(): Trial[] {
  return listCalls().flatMap((call) => {
    const troubles: Trouble[] = [...ERRNOS, ...(HALVED.includes(nameOf(call)) ? (['short'] as const) : [])];
    const failing = troubles.flatMap((trouble) => [false, true].map((lasts) => ({ call, trouble, nth: 1, lasts })));
    return [...failing, { call, trouble: 'stall', nth: 1, lasts: false } as const];
  });
}

/** The refusals that a trouble explains. */
export function refusalsOf({ call, trouble }: Trial): ErrorCode[] {
  if (ASIDE.test(call) || trouble === 'short' || trouble === 'stall') return [];
  const isFull = trouble === 'ENOSPC' || trouble === 'EDQUOT';
  if (!isFull || READING_NAMES.includes(nameOf(call))) return ['storage_unavailable'];
  // What has lost its bytes is asked for again.
  return FLUSHING.includes(nameOf(call)) ? ['insufficient_storage', 'storage_unavailable'] : ['insufficient_storage'];
}

/** A stall in the folder of the database and the audit holds what changes something, as a stalled commit does. */
export function holdsOthers({ call }: Trial): boolean {
  return call.startsWith('ops/audit.ts ');
}

/** True: acknowledged parts may be asked for again. */
export function mayLose({ call, trouble }: Trial): boolean {
  return FLUSHING.includes(nameOf(call)) && trouble !== 'stall';
}

/** Their failure is not to be hidden: a client gets a refusal, or is asked for parts again. */
const NOTICED = ['mkdir', 'rename', 'writeSync', ...FLUSHING];

/** True: a client must notice it. */
export function isNoticed({ call, trouble }: Trial): boolean {
  return isErrno(trouble) && !ASIDE.test(call) && NOTICED.includes(nameOf(call));
}

/**
 * True: acknowledged parts must be asked for again, because the system reports the loss of their bytes once, to the first
 * flush. That is the one through the descriptor that they were written with; `handle.sync` flushes folders here. In a
 * folder of several servers parts are flushed before they are acknowledged.
 */
export function mustLose({ call, trouble, nth }: Trial, deployment: DeploymentName): boolean {
  return deployment === 'disk' && nth === 1 && isErrno(trouble) && nameOf(call) === 'fdatasync';
}

function isErrno(trouble: Trouble): boolean {
  return ERRNOS.some((code) => code === trouble);
}

export function printTrial({ call, trouble, nth, lasts }: Trial): string {
  return `${call}: ${trouble}${lasts ? ' for a while, from the' : ', the'} ${nth}. call`;
}

function nameOf(call: string): string {
  return call.slice(call.indexOf(' ') + 1);
}
