/**
 * Loaded into the server before anything of it (`node --import`), in its workers too: sets the boot id that the server reads,
 * and makes calls of the file system fail by a rule that the suite writes and takes away while the server runs.
 *
 * In TEST_FOLDER, `boot-id` has the id; `failing-calls.json` has `{"calls": ["fsync", …] | null, "share": 0.1, "codes":
 * ["EIO", …]}`: so many of these calls (null: of all) below TEST_DATA_FOLDER fail. SQLite has calls of its own, which
 * this does not reach. What was made to fail is listed in `failed-calls.log`.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

const folder = process.env.TEST_FOLDER;
const dataFolder = process.env.TEST_DATA_FOLDER;
const RULE_MS = 20;
const BOOT_ID = '/proc/sys/kernel/random/boot_id';
const CALLBACK = ['fsync', 'fdatasync'];
const SYNC = ['openSync', 'readSync', 'writeSync', 'fstatSync'];
const PROMISES = [
  'open',
  'mkdir',
  'readdir',
  'readFile',
  'rename',
  'rm',
  'stat',
  'statfs',
  'chmod',
  'writeFile',
  'unlink',
];
const HANDLE = ['truncate', 'sync', 'datasync', 'stat', 'read', 'write'];

const { appendFileSync, readFileSync, readlinkSync } = fs;
let rule = null;
let readAtMs = 0;

function currentRule() {
  if (Date.now() - readAtMs < RULE_MS) return rule;
  readAtMs = Date.now();
  try {
    rule = JSON.parse(readFileSync(join(folder, 'failing-calls.json'), 'utf8'));
  } catch {
    rule = null;
  }
  return rule;
}

/** @returns the error that a call is to fail with, or null: it is to be made. */
function failureOf(call, target) {
  const now = currentRule();
  if (!now || Math.random() >= now.share || (now.calls && !now.calls.includes(call))) return null;
  const path = typeof target === 'number' ? linkOf(target) : String(target);
  if (!path.startsWith(dataFolder)) return null;
  const code = now.codes[Math.floor(Math.random() * now.codes.length)];
  appendFileSync(join(folder, 'failed-calls.log'), `${new Date().toISOString()} ${call} ${code} ${path}\n`);
  const error = new Error(`${code}: made to fail, ${call} '${path}'`);
  return Object.assign(error, { code, syscall: call, path, errno: -5 });
}

function linkOf(fd) {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}

function replace(object, name, make) {
  const original = object[name];
  object[name] = make(original);
}

replace(
  fs,
  'readFileSync',
  (original) =>
    function (path, ...rest) {
      return original.call(this, path === BOOT_ID ? join(folder, 'boot-id') : path, ...rest);
    },
);
for (const name of SYNC) {
  replace(
    fs,
    name,
    (original) =>
      function (target, ...rest) {
        const failure = failureOf(name, target);
        if (failure) throw failure;
        return original.call(this, target, ...rest);
      },
  );
}
for (const name of CALLBACK) {
  replace(
    fs,
    name,
    (original) =>
      function (target, callback) {
        const failure = failureOf(name, target);
        if (failure) setImmediate(callback, failure);
        else original.call(this, target, callback);
      },
  );
}
const handle = await fs.promises.open(process.execPath);
const { prototype } = handle.constructor;
await handle.close();
for (const [names, object, toTarget] of [
  [PROMISES, fs.promises, (_, args) => args[0]],
  [HANDLE, prototype, (self) => self.fd],
]) {
  for (const name of names) {
    replace(
      object,
      name,
      (original) =>
        async function (...args) {
          const failure = failureOf(object === prototype ? `handle.${name}` : name, toTarget(this, args));
          if (failure) throw failure;
          return await original.apply(this, args);
        },
    );
  }
}
syncBuiltinESMExports();
