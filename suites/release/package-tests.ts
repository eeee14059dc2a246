/** What is in the archive of the server, and what its install.sh makes. */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { test } from 'node:test';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { signToken, toPayload } from '../contract/token.ts';
import { listFiles, publish } from '../contract/upload.ts';
import { callWith } from '../contract/wire.ts';
import { SystemdAnalyze } from '../install/systemd-analyze.ts';
import { parseEnvironment, parseUnit } from '../install/unit.ts';
import { findPort } from '../program.ts';
import { VERSION } from './clone.ts';
import type { Release } from './released.ts';

/** A later one, of the same files. */
const NEXT = '99.0.1';
const UNIT = 'etc/systemd/system/cryolift.service';
const analyze = SystemdAnalyze.find();

interface Installed {
  readonly url: string;
  readonly secret: string;
  /** As `systemctl stop`. @returns the exit code. */
  stop(): Promise<number | null>;
}

export function testPackage(release: Release): void {
  const name = `cryolift-server-${VERSION}-linux-${process.arch}`;
  const unpacked = join(release.folder, name);
  const root = join(release.folder, 'root');
  const next = join(release.folder, 'next');

  test('package: it has Node, the page and the packages of a server, and no others', () => {
    execFileSync('tar', ['-C', release.folder, '-xzf', join(release.files, `${name}.tar.gz`)]);
    const modules = readdirSync(join(unpacked, 'node_modules'));
    for (const each of ['fastify', 'pg', '@aws-sdk', 'cryolift']) assert.ok(modules.includes(each), each);
    for (const each of ['vite', 'typescript', 'react', '@biomejs']) assert.ok(!modules.includes(each), each);
    assert.ok(existsSync(join(unpacked, 'packages/server/dist/page/index.html')));
    assert.ok(existsSync(join(unpacked, 'docs/guides/first-upload.md')));
    const listed = execFileSync('tar', ['-tvzf', join(release.files, `${name}.tar.gz`)], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    });
    const lines = listed.trimEnd().split('\n');
    for (const line of lines) assert.match(line, /^([d-]rw[x-]r-[x-]r-[x-]|l\S+) (0\/0|root\/root) /, line);
    assert.deepEqual(
      lines.filter((line) => /\.test\.ts|\/test-/.test(line) && !line.includes('/node_modules/')),
      [],
    );
    const time = Number(release.clone.git('log', '-1', '--format=%ct'));
    assert.equal(statSync(join(unpacked, 'install.sh')).mtimeMs, time * 1000, 'pages of two versions differ in time');
  });

  test('package: its list of contents names Node and the packages in it', () => {
    const sbom = JSON.parse(readFileSync(join(release.files, `${name}.cdx.json`), 'utf8'));
    assert.deepEqual([sbom.bomFormat, sbom.metadata.component.version], ['CycloneDX', VERSION]);
    assert.equal(sbom.metadata.component.hashes[0].content, release.sums[`${name}.tar.gz`]);
    const names = new Set(sbom.components.map((each: { name: string }) => each.name));
    const inModules = readdirSync(join(unpacked, 'node_modules')).filter((each) => !/^[.@]|^cryolift$/.test(each));
    assert.deepEqual(
      inModules.filter((each) => !names.has(each)),
      [],
    );
  });

  test('unit: that of the package starts the current version, and is as strict as that of a checkout', {
    skip: typeof analyze === 'string' ? analyze : false,
  }, () => {
    assert.ok(analyze instanceof SystemdAnalyze);
    const path = join(unpacked, 'deploy/systemd/cryolift.service');
    const unit = parseUnit(readFileSync(path, 'utf8'));
    assert.deepEqual(unit.get('WorkingDirectory'), ['/opt/cryolift/current']);
    assert.match(unit.get('ExecStart')?.[0] ?? '', /^\/opt\/cryolift\/current\/node_modules\/\.bin\/node /);
    const rate = (file: string) =>
      /exposure level for \S+: (\S+)/.exec(analyze.run('security', '--offline=true', file)?.output ?? '')?.[1];
    assert.equal(rate(path), rate(join(release.clone.root, 'deploy/systemd/cryolift.service')));
    const verified = analyze.run('verify', path)?.output ?? '';
    // The one thing that is not there: nothing is installed on this machine.
    assert.deepEqual(
      verified.split('\n').filter((line) => line !== '' && !line.includes('node is not executable')),
      [],
    );
    analyze.discard();
  });

  test('install.sh: it has at most 80 lines of 120 characters', () => {
    const lines = readFileSync(join(unpacked, 'install.sh'), 'utf8').trimEnd().split('\n');
    assert.ok(lines.length <= 80 && lines.every((line) => line.length <= 120), `${lines.length} lines`);
  });

  test('install.sh: what it cannot do it refuses, and has changed nothing', () => {
    const run = (...args: string[]) => spawnSync(join(unpacked, 'install.sh'), args, { encoding: 'utf8' });
    assert.deepEqual([run('--prefix', '/x').status, run('--root').status], [1, 1]);
    const alone = join(release.folder, 'alone');
    mkdirSync(alone);
    for (const each of ['install.sh', 'VERSION']) copyFileSync(join(unpacked, each), join(alone, each));
    const nodeless = spawnSync(join(alone, 'install.sh'), ['--root', root], { encoding: 'utf8' });
    assert.match(nodeless.stderr, /^install\.sh: Node does not start: it needs /m);
    assert.deepEqual([nodeless.status, existsSync(root)], [1, false]);
    mkdirSync(join(root, 'opt/cryolift/.git'), { recursive: true });
    const refused = run('--root', root);
    assert.match(
      refused.stderr,
      /^install\.sh: .*\/opt\/cryolift is a checkout of the repository: move it away first\n$/,
    );
    assert.equal(refused.status, 1);
    assert.deepEqual(readdirSync(join(root, 'opt/cryolift')), ['.git']);
    execFileSync('rm', ['-r', root]);
  });

  /** Runs install.sh of a version below `root`. @returns what it printed. */
  const install = (folder: string) => execFileSync(join(folder, 'install.sh'), ['--root', root], { encoding: 'utf8' });
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  const current = () => readlinkSync(join(root, 'opt/cryolift/current'));

  /** Starts what the unit below `root` starts, as systemd does, but for the user and the hardening. */
  async function start(): Promise<Installed> {
    const unit = parseUnit(read(UNIT));
    const within = (path = '') => path.replace(/^\/(opt|srv|etc)\//, `${root}/$1/`);
    const settings = parseEnvironment(readFileSync(within(unit.get('EnvironmentFile')?.[0]), 'utf8'));
    const port = await findPort();
    const [command = '', ...args] = (unit.get('ExecStart')?.[0] ?? '').split(' ');
    const child: ChildProcess = spawn(within(command), args, {
      cwd: within(unit.get('WorkingDirectory')?.[0]),
      env: {
        ...settings,
        CRYOLIFT_DATA_DIR: within(settings.CRYOLIFT_DATA_DIR),
        CRYOLIFT_PORT: String(port),
        CRYOLIFT_LOG_LEVEL: 'warn',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    release.children.add(child);
    const ended = once(child, 'exit').then(([code]) => code as number | null);
    const line = await Promise.race([
      once(child.stdout as Readable, 'data').then(String),
      ended.then((code) => `ended: ${code}`),
    ]);
    assert.match(line, /^cryolift listening on /);
    const stop = async () => {
      child.kill('SIGTERM');
      return await ended;
    };
    return { url: `http://127.0.0.1:${port}`, secret: settings.CRYOLIFT_JWT_SECRET ?? '', stop };
  }

  const callAda = ({ url, secret }: Installed) =>
    callWith({ url }, { authorization: `Bearer ${signToken(toPayload({ sub: 'ada' }), 'HS256', secret)}` });
  const bytes = makeMrc(3000);

  test('install.sh: what it has installed starts by the unit, and takes an upload', async () => {
    const said = install(unpacked);
    assert.match(said, /^Next: systemctl enable --now cryolift$/m);
    assert.equal(current(), VERSION);
    const { CRYOLIFT_JWT_SECRET: secret = '' } = parseEnvironment(read('etc/cryolift.env'));
    assert.equal(Buffer.from(secret, 'base64').length, 36);
    const modes = ['etc/cryolift.env', 'srv/cryolift'].map((path) => statSync(join(root, path)).mode & 0o777);
    assert.deepEqual(modes, [0o600, 0o700]);
    const server = await start();
    assert.match(await (await fetch(server.url)).text(), /<script/);
    assert.equal((await publish(callAda(server), bytes)).sha256, sha256Hex(bytes));
    assert.equal(await server.stop(), 0);
  });

  test('install.sh: an upgrade keeps settings, data and the version before', async () => {
    execFileSync('cp', ['-al', unpacked, next]);
    execFileSync('rm', [join(next, 'VERSION')]);
    writeFileSync(join(next, 'VERSION'), `${NEXT}\n`);
    // What an interrupted run has left.
    mkdirSync(join(root, `opt/cryolift/.${NEXT}.new/half`), { recursive: true });
    writeFileSync(join(root, 'etc/cryolift.env.new'), 'half');
    const settings = read('etc/cryolift.env');
    const said = install(next);
    assert.match(said, new RegExp(`current -> ${NEXT} \\(before: ${VERSION}\\)\nNext: systemctl restart cryolift\n$`));
    assert.equal(read('etc/cryolift.env'), settings);
    const versions = readdirSync(join(root, 'opt/cryolift')).sort();
    assert.deepEqual(versions, [VERSION, NEXT, 'current']);
    assert.ok(!existsSync(join(root, `opt/cryolift/${NEXT}/half`)));
    const server = await start();
    assert.deepEqual(
      (await listFiles(callAda(server))).map(({ sha256 }) => sha256),
      [sha256Hex(bytes)],
    );
    assert.equal(await server.stop(), 0);
  });

  test('install.sh: that of the version before, in its place, goes back to it', async () => {
    const said = install(join(root, 'opt/cryolift', VERSION));
    assert.match(said, /^.*\/opt\/cryolift\/99\.0\.0 is there already, and is kept$/m);
    assert.equal(current(), VERSION);
    const command = execFileSync(join(root, 'opt/cryolift/current/bin/cryolift'), ['--version'], {
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin' },
    });
    assert.equal(command, `${VERSION}\n`);
    const server = await start();
    assert.equal((await listFiles(callAda(server))).length, 1);
    assert.equal(await server.stop(), 0);
  });
}
