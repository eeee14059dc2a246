/**
 * Loaded into the server before anything of it (`node --import`), in its workers too: kills the process at a durable step.
 *
 * In CRASH_FOLDER, `armed` has `{"name": "disk.rename", "when": "before", "nth": 1}`: at the nth such moment after the file
 * was written the process kills itself (SIGKILL, or what `signal` says), after it has written `reached`. `{"trace": true}`
 * lists all moments in `trace`. Without the file nothing is done. `boot-id` has the id of the boot that the server reads,
 * where there is one.
 */
import { subscribe } from 'node:diagnostics_channel';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const folder = process.env.CRASH_FOLDER;
const { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } = fs;
const path = (name) => join(folder, name);

function readAim() {
  try {
    return JSON.parse(readFileSync(path('armed'), 'utf8'));
  } catch {
    return null;
  }
}

subscribe('cryolift:durable-step', ({ name, when }) => {
  const aim = readAim();
  if (aim?.trace) appendFileSync(path('trace'), `${name} ${when}\n`);
  if (aim?.name !== name || aim.when !== when) return;
  // All threads count together.
  appendFileSync(path('count'), '.');
  if (statSync(path('count')).size < aim.nth) return;
  writeFileSync(path('reached'), `${name} ${when}`);
  process.kill(process.pid, aim.signal ?? 'SIGKILL');
});

fs.readFileSync = function (target, ...rest) {
  const isFaked = target === BOOT_ID && existsSync(path('boot-id'));
  return readFileSync.call(this, isFaked ? path('boot-id') : target, ...rest);
};
syncBuiltinESMExports();
