/**
 * The services of compose.yaml, without containers: the same commands, settings and configuration of Caddy with the real
 * programs, on ports of this machine. What Docker itself does (images, networks, volumes) is not shown here.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { UploadPage } from '@cryolift/protocol/messages';
import { BIN } from '../../packages/cli/src/testing/program.ts';
import { whyNoCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { makePostgresUrl } from '../../packages/server/src/db/test-databases.ts';
import { makeCertificate } from '../certificate.ts';
import { makeMrc, sha256Hex } from '../contract/sample.ts';
import { eventually } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { missingSeaweed, type RunningSeaweed, startSeaweed } from '../engines/seaweedfs.ts';
import { bring, CADDY, type Engine, startEngine } from '../proxies/engine.ts';
import { type OwnServer, startServer } from '../server-under-test.ts';
import { fillIn, serviceOf } from './files.ts';

const MIB = 1024 * 1024;
const FILE_BYTES = 40 * MIB;
const SECRETS = {
  LIFT_HOST: 'localhost',
  POSTGRES_PASSWORD: 'only-for-tests',
  S3_SECRET_ACCESS_KEY: 'only-for-tests',
  CRYOLIFT_JWT_SECRET: 'only for tests: 32 bytes or more of it',
  CRYOLIFT_SIGNING_SECRET: 'a signing secret that must stay one',
};
const SERVERS = ['cryolift-1', 'cryolift-2'];

const BEFORE_TWO: Engine = {
  ...CADDY,
  file: new URL('../../deploy/caddy/several-servers.Caddyfile', import.meta.url),
  place: ({ upstream, certificate }, { https }) => [
    [SERVERS.map((name) => `${name}:8080`).join(' '), upstream],
    ['\n{$LIFT_HOST} {', `\nhttps://localhost:${https} {\n\tbind 127.0.0.1`],
    ['# tls /etc/ssl/lift.pem /etc/ssl/lift.key', `tls ${certificate.cert} ${certificate.key}`],
    ['\n{\n', '\n{\n\tadmin off\n\tauto_https disable_redirects\n'],
  ],
};
const options = { skip: whyNoCluster() ?? missingSeaweed() ?? bring(BEFORE_TWO) ?? false, timeout: 300_000 };

/** The service seaweedfs, set up by the service seaweedfs-setup. */
async function startStorage(): Promise<RunningSeaweed> {
  const { command = [] } = serviceOf('seaweedfs');
  const own = /^(?:mini$|-(?:dir|ip|ip\.bind|bucket)=)/;
  const seaweed = await startSeaweed({ flags: command.filter((word) => !own.test(word)) });
  const [program = '', ...args] = serviceOf('seaweedfs-setup').entrypoint ?? [];
  const script = args.map((word) => {
    return word.replace('seaweedfs:9333', seaweed.master).replace('seaweedfs:8888', seaweed.filer);
  });
  const env = { HOME: tmpdir(), PATH: `${seaweed.bin}:${process.env.PATH}` };
  // It fails unless the setting is there afterwards.
  execFileSync(program, script, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  return seaweed;
}

/** A server with the settings of its service, elsewhere. */
async function startService(name: string, databaseUrl: string, seaweed: RunningSeaweed): Promise<OwnServer> {
  const given = Object.entries(serviceOf(name).environment ?? {}).map(([setting, value]) => {
    return [setting, fillIn(value, SECRETS).replace('http://seaweedfs:8333', seaweed.endpoint)] as const;
  });
  const settings: Record<string, string> = Object.fromEntries(given);
  const { CRYOLIFT_DATABASE_URL: url = '' } = settings;
  const { hostname, port, pathname } = new URL(databaseUrl);
  return await startServer({
    ...settings,
    CRYOLIFT_DATABASE_URL: Object.assign(new URL(url), { hostname, port, pathname }).href,
    CRYOLIFT_S3_ACCESS_KEY_ID: seaweed.credentials.accessKeyId,
  });
}

test(
  'compose.yaml: an upload through Caddy goes to both servers, and on when one of them stops',
  options,
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'cryolift-compose-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const databaseUrl = await makePostgresUrl(t);
    const seaweed = await startStorage();
    t.after(() => seaweed.stop());
    const servers = await Promise.all(SERVERS.map((name) => startService(name, databaseUrl, seaweed)));
    t.after(() => Promise.all(servers.map((server) => server.discard())));
    const [first, second] = servers as [OwnServer, OwnServer];

    const certificate = makeCertificate(folder, 'localhost');
    const upstream = servers.map(({ url }) => new URL(url).host).join(' ');
    const proxy = await startEngine(BEFORE_TWO, { folder, upstream, certificate });
    t.after(() => proxy.stop());

    const bytes = makeMrc(FILE_BYTES);
    const path = join(folder, 'movie.mrc');
    writeFileSync(path, bytes);
    const upload = beginUpload(path, proxy.url, first.token({ sub: 'ada' }), certificate.cert);
    const call = callAs(second, { sub: 'ada' });
    await eventually(
      async () => (await call('GET', '/uploads')).json<UploadPage>().items[0]?.received_parts ?? 0,
      (received) => received >= 2,
    );
    assert.equal(await first.stop(), 0);
    const lines = await upload;
    const done = JSON.parse(lines.trim().split('\n').at(-1) ?? '{}') as { event?: string; sha256?: string };
    assert.deepEqual([done.event, done.sha256], ['done', sha256Hex(bytes)]);
    for (const server of servers)
      assert.match(server.stderr, /"method":"PUT","route":"\/uploads\/:upload_id\/part\/:idx"/);
  },
);

/** @returns what it prints. */
async function beginUpload(path: string, url: string, token: string, ca: string): Promise<string> {
  const { PATH = '' } = process.env;
  const env = { PATH, HOME: tmpdir(), NODE_EXTRA_CA_CERTS: ca, CRYOLIFT_SERVER: url, CRYOLIFT_TOKEN: token };
  const child: ChildProcess = spawn(process.execPath, [BIN, 'upload', '--json', '--bwlimit', '16MiB', path], {
    env,
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 0, said);
  return said;
}
