/** Every durable call of the server is a point at which it is killed. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { findUnannounced } from './durable-calls.ts';
import { listServerSources, readPoints, UNREACHED, whereIs } from './points.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Calls without a step, and why. */
const EXEMPT: readonly { path: string; calls: readonly string[]; why: string }[] = [
  {
    path: 'config/places.ts',
    calls: ['writeFile', 'rm'],
    why: 'tries whether a folder can be written, of a server that does not start',
  },
  {
    path: 'config/unix-socket.ts',
    calls: ['rm', 'chmodSync'],
    why: 'a socket that a dead server has left is replaced at every start',
  },
  { path: 'ops/log-stream.ts', calls: ['writeFd'], why: 'nothing relies on a line of the log' },
  {
    path: 'storage/shared/probe-calls.ts',
    calls: ['mkdir', 'rm', 'unlink', 'rename', 'link', 'file.write', 'file.datasync'],
    why: 'tries the file system, in a folder of its own that is removed at the end, or by the next start',
  },
];

test('each durable call of the server has a step around it', () => {
  const sources = listServerSources();
  assert.ok(sources.length > 200, `${sources.length} sources`);
  const missing = sources.flatMap(({ path, text }) => {
    const exempt = EXEMPT.find((each) => each.path === path)?.calls ?? [];
    return findUnannounced(text)
      .filter(({ call }) => !exempt.includes(call))
      .map(({ line, call }) => `${path}:${line}: ${call}`);
  });
  assert.deepEqual(missing, [], 'wrap it: durableStep("module.step", () => …)');
});

test('what is exempt is there', () => {
  const sources = new Map(listServerSources().map(({ path, text }) => [path, text]));
  for (const { path, calls } of EXEMPT) {
    const found = findUnannounced(sources.get(path) ?? '').map(({ call }) => call);
    assert.deepEqual([...new Set(found)].sort(), [...calls].sort(), path);
  }
});

test('the names of the steps can be read from the sources', () => {
  for (const { path, text } of listServerSources()) {
    if (path === 'durable-step.ts') continue;
    const calls = text.match(/\b(durableStep|betweenSteps)\(/g) ?? [];
    const named = text.match(/\b(durableStep|betweenSteps)\(\s*'[a-z0-9]+\.[a-z0-9-]+'/g) ?? [];
    assert.equal(named.length, calls.length, path);
  }
});

test('each step is reached by a campaign, or it is said why not', () => {
  const points = readPoints();
  assert.ok(points.length > 80, `${points.length} points`);
  for (const name of ['disk.write', 'disk.rename', 'sqlite.commit-group', 'postgres.commit', 's3.complete']) {
    assert.ok(
      points.some((point) => point.name === name),
      name,
    );
  }
  const unknown = points.filter((point) => whereIs(point) === undefined).map(({ name }) => name);
  assert.deepEqual([...new Set(unknown)], [], 'say in points.ts where it is reached');
});

test('what is not reached is a step, and the test that is named in its place is there', () => {
  const names = new Set(readPoints().map(({ name }) => name));
  for (const [name, why] of Object.entries(UNREACHED)) {
    assert.ok(names.has(name), name);
    const [file] = /\S+\.test\.ts/.exec(why) ?? [];
    if (file) assert.ok(existsSync(join(ROOT, file)), file);
  }
});

const UNANNOUNCED: readonly string[] = [
  "import { rename } from 'node:fs/promises';\nawait rename(a, b);",
  "import { rename as move } from 'node:fs/promises';\nawait move(a, b);",
  "import { writeFileSync } from 'node:fs';\nwriteFileSync(a, b);",
  "import { rm } from 'node:fs/promises';\nawait durableStep('a.b', () => other(a));\nawait rm(a);",
  "import { open } from 'node:fs/promises';\nawait handle.sync();",
  "import { type FileHandle } from 'node:fs/promises';\nawait this.file.handle.truncate(0);",
  "connection.execute('commit');",
  'const command = new DeleteObjectCommand(a);\nawait this.client.send(command);',
  'await this.#patient.send(new CompleteMultipartUploadCommand(a));',
];
const ANNOUNCED: readonly string[] = [
  "import { rename } from 'node:fs/promises';\nawait durableStep('a.b', () => rename(a, b));",
  "import { rename } from 'node:fs/promises';\n// rename(a)\nstore.rename(a, b);",
  "import { readFile } from 'node:fs/promises';\nawait readFile(a);",
  "durableStep('a.b', () => connection.execute('commit'));\nconnection.execute('rollback');",
  'await this.client.send(new HeadObjectCommand(a));',
  "const command = new PutObjectCommand(a);\nawait durableStep('a.b', () => this.client.send(command));",
];

test('a durable call without a step is found, and nothing else', () => {
  for (const text of UNANNOUNCED) assert.equal(findUnannounced(text).length, 1, text);
  for (const text of ANNOUNCED) assert.deepEqual(findUnannounced(text), [], text);
});
