/**
 * Tries in a shared folder what the storage assumes of its file system, with a second process in place of a second
 * server. It cannot try what two systems see of each other: `docs/architecture/5` says what their mounts need.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { AssumptionFailed } from './assumption.ts';
import { type ProbeCalls, SYSTEM_PROBE } from './probe-calls.ts';
import { ProbeHelper } from './probe-helper.ts';
import { PROBES } from './probes.ts';

/** Folder of the probes, which are removed at their end. */
const PROBE_FOLDER = 'probe';
/** A probe takes seconds. What is older was left behind by one that was killed. */
const LEFT_BEHIND_MS = 600_000;

/**
 * @param folder of the storage; `staging/` and `files/` are in it.
 * @throws AssumptionFailed that names the assumption; NodeJS.ErrnoException when nothing can be written at all.
 */
export async function probeFolder(folder: string, calls: ProbeCalls = SYSTEM_PROBE): Promise<void> {
  const all = join(folder, PROBE_FOLDER);
  const own = join(all, randomBytes(8).toString('hex'));
  await calls.makeFolder(own);
  await removeLeftBehind(all, own, calls);
  const helper = new ProbeHelper();
  try {
    for (const [assumption, probe] of Object.entries(PROBES)) {
      await probe({ folder: own, storage: folder, calls, helper }).catch((cause: Error) => {
        const why = (cause as NodeJS.ErrnoException).code ?? cause.message;
        throw new AssumptionFailed(`the file system does not do what is needed: ${assumption} (${why})`);
      });
    }
  } finally {
    await helper.close();
    await calls.remove(own).catch(() => {});
  }
}

/** By the clock of the file server alone. */
async function removeLeftBehind(all: string, own: string, calls: ProbeCalls): Promise<void> {
  const now = await calls.modifiedAtMs(own);
  for (const name of await calls.list(all)) {
    const path = join(all, name);
    // Another server may remove it at the same time.
    const age = now - (await calls.modifiedAtMs(path).catch(() => now));
    if (age > LEFT_BEHIND_MS) await calls.remove(path).catch(() => {});
  }
}
