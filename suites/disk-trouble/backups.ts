/** `node --import preload.mjs backups.ts FOLDER DATA_DIR TRIALS`: makes a backup for each trial, and prints what was wrong. */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { backUp, SettingError } from '../../packages/server/src/backup.ts';
import { printTrial, type Trial } from './trials.ts';
import { arm, disarm, readLines } from './trouble-site.ts';

/** Calls that are made after another one has failed. */
const AFTER_FAILURE: Readonly<Record<string, string>> = {
  'backup.ts rm': 'backup.ts writeFile',
  'backup.ts rmdir': 'backup.ts writeFile',
};
const DECIDED = ['backup.ts chmod', 'backup.ts mkdir'];

const [folder = '', dataDir = '', trials = '[]'] = process.argv.slice(2);
const faults: string[] = [];
for (const [nth, trial] of (JSON.parse(trials) as Trial[]).entries()) {
  for (const fault of await fail(trial, join(folder, `backup-${nth}`))) faults.push(`${printTrial(trial)}: ${fault}`);
}
await backUp({}, { 'data-dir': dataDir }, join(folder, 'backup')).catch((error: unknown) => {
  faults.push(`without trouble there is no backup: ${error}`);
});
console.log(JSON.stringify(faults));

async function fail({ call, trouble, nth, lasts }: Trial, target: string): Promise<string[]> {
  // In a folder that is there, or in one that it makes.
  if (DECIDED.includes(call)) mkdirSync(target, { mode: 0o700 });
  arm(folder, { calls: [call], nth, lasts, code: trouble, before: AFTER_FAILURE[call] });
  const error = await backUp({}, { 'data-dir': dataDir }, target).then(
    () => null,
    (cause: NodeJS.ErrnoException) => cause,
  );
  const isReached = readLines(folder, 'failed').includes(call);
  disarm(folder);
  if (!isReached) return ['the call was not made'];
  const copyBytes = statSync(join(target, 'cryolift.sqlite'), { throwIfNoEntry: false })?.size ?? 0;
  if (error === null) return copyBytes === 0 ? ['it said that it was done, and there is no database'] : [];
  return [
    ...(copyBytes > 0 ? ['it failed, and left a database'] : []),
    ...(error instanceof SettingError || /^E[A-Z]+$/.test(error.code ?? '') ? [] : [`it failed with ${error}`]),
  ];
}
