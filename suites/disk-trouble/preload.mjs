/**
 * Loaded into the server before anything of it (`node --import`), in its workers too: calls of `node:fs` that the server
 * makes fail, do half of their work, or stall. A call is known by the module that makes it and by its name:
 * `storage/disk/file-system.ts handle.sync`.
 *
 * In TROUBLE_FOLDER, `armed` has `{"calls": ["MODULE NAME"], "nth": 1, "lasts": false, "code": "EIO" | "short" | "stall"}`:
 * each of these calls fails at its nth occurrence after the file was written, or from that one on. A stalled one waits in
 * the thread of the system that has it, until somebody opens the FIFO `stall` for writing. `"before": "MODULE NAME"` is
 * a call that fails once with EIO, so that those come. `{"trace": true}`: nothing fails. `made` lists the calls that were
 * made meanwhile, `failed` those that were made to fail.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';

const { appendFileSync, closeSync, existsSync, openSync, readFileSync } = fs;
const { O_CREAT, O_RDWR, O_WRONLY } = fs.constants;
const openFile = fs.promises.open;
const folder = process.env.TROUBLE_FOLDER;
const path = (name) => join(folder, name);
const MODULE = /packages\/server\/(?:src|dist)\/(?!durable-step)([\w/-]+)\.[tj]s:/;

const PROMISES = [
  ...['chmod', 'copyFile', 'link', 'mkdir', 'open', 'readFile', 'readdir', 'rename', 'rm', 'rmdir', 'stat', 'statfs'],
  ...['unlink', 'writeFile'],
];
const HANDLE = ['datasync', 'read', 'stat', 'sync', 'truncate', 'write'];
const SYNC = ['closeSync', 'fstatSync', 'openSync', 'readFileSync', 'readSync', 'writeSync'];
const CALLBACK = ['fdatasync'];

/** @returns what this call is to suffer; null: it is made. */
function troubleOf(name) {
  if (!existsSync(path('armed'))) return null;
  const module = findModule();
  if (!module) return null;
  const call = `${module}.ts ${name}`;
  let aim;
  try {
    aim = JSON.parse(readFileSync(path('armed'), 'utf8'));
  } catch {
    return null;
  }
  // All threads count together: a line is written whole.
  appendFileSync(path('made'), `${call}\n`);
  if (!aim.calls?.includes(call) && aim.before !== call) return null;
  const count = readFileSync(path('made'), 'utf8')
    .split('\n')
    .filter((line) => line === call).length;
  if (aim.before === call) return count === 1 ? { code: 'EIO', call } : null;
  if (count < aim.nth || (count > aim.nth && !aim.lasts)) return null;
  appendFileSync(path('failed'), `${call}\n`);
  return { code: aim.code, call };
}

function findModule() {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 25;
  const { stack } = new Error();
  Error.stackTraceLimit = limit;
  return MODULE.exec(stack)?.[1];
}

function toError({ code, call }) {
  return Object.assign(new Error(`${code}: made to fail, ${call}`), { code, syscall: call, errno: -5 });
}

/** A thread of the system waits, as it does for a disk. */
async function stall() {
  await (await openFile(path('stall'), 'r')).close();
}

function stallSync() {
  closeSync(openSync(path('stall'), 'r'));
}

/** The arguments of a call of half as many bytes; bytes, offset, length and position follow each other. */
function halve(args, at) {
  const [bytes, offset = 0, length = bytes.length - offset] = args.slice(at);
  const halved = [...args];
  // Text has no length in bytes.
  if (typeof bytes === 'string') halved[at] = bytes.slice(0, Math.ceil(bytes.length / 2));
  else halved.splice(at + 1, 2, offset, Math.ceil(length / 2));
  return halved;
}

/** With what an open file may be changed is another kind of call. */
function nameOfOpen(name, flags = 'r') {
  const writes = typeof flags === 'number' ? (flags & (O_WRONLY | O_RDWR | O_CREAT)) !== 0 : flags !== 'r';
  return writes ? `${name} for writing` : name;
}

for (const name of SYNC) {
  const original = fs[name];
  fs[name] = function (...args) {
    const trouble = troubleOf(name);
    if (!trouble) return original.apply(this, args);
    if (trouble.code === 'short') return original.apply(this, halve(args, 1));
    if (trouble.code === 'stall') stallSync();
    else if (name !== 'closeSync') throw toError(trouble);
    const result = original.apply(this, args);
    if (trouble.code !== 'stall') throw toError(trouble);
    return result;
  };
}
for (const name of CALLBACK) {
  const original = fs[name];
  fs[name] = (...args) => {
    const trouble = troubleOf(name);
    if (!trouble) original(...args);
    else if (trouble.code === 'stall') void stall().then(() => original(...args));
    else setImmediate(args.at(-1), toError(trouble));
  };
}

function replace(object, name, toName = () => name) {
  const original = object[name];
  object[name] = async function (...args) {
    const trouble = troubleOf(toName(args));
    if (!trouble) return await original.apply(this, args);
    if (trouble.code === 'short') return await original.apply(this, halve(args, 0));
    if (trouble.code !== 'stall') throw toError(trouble);
    await stall();
    return await original.apply(this, args);
  };
}

/** Not before the server opens a file: the number of the system's threads is fixed by the first call. */
let isPrepared = false;
function prepare({ constructor: { prototype } }) {
  if (!isPrepared) for (const name of HANDLE) replace(prototype, name, () => `handle.${name}`);
  isPrepared = true;
}

for (const name of PROMISES) {
  replace(fs.promises, name, ([, flags]) => (name === 'open' ? nameOfOpen(name, flags) : name));
}
const open = fs.promises.open;
fs.promises.open = async (...args) => {
  const handle = await open(...args);
  prepare(handle);
  const { close } = handle;
  handle.close = async () => {
    const trouble = troubleOf('handle.close');
    if (trouble?.code === 'stall') await stall();
    await close.call(handle);
    // A descriptor is gone also when closing it has failed.
    if (trouble && trouble.code !== 'stall') throw toError(trouble);
  };
  return handle;
};
syncBuiltinESMExports();
