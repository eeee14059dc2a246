/** Cryolift as a site has it that has outgrown one server: Caddy, three servers, PostgreSQL and an S3-compatible service. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cluster, startCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { type FaultyProxy, startProxy } from '../../packages/server/src/storage/s3/test-proxy.ts';
import { type RunningService, serviceAt } from '../engines/running-service.ts';
import { startService } from '../engines/s3-service.ts';
import { answers, awaitProgram, bringProgram, findPort, findPorts, type Program, startProgram } from '../program.ts';
import { type OwnServer, type Settings, startServer } from '../server-under-test.ts';

const SERVERS = 3;
const PREFIX = 'scale-out';
const START_MS = 60_000;
const CADDY: Program = { name: 'caddy', packages: ['caddy'], versionArgs: ['version'] };

/** @returns why it cannot be had, or null: it is there. */
export function whyNoCaddy(): string | null {
  return bringProgram(CADDY, 'the tests of several servers');
}

export interface Deployment {
  /** Of the proxy, which gives each request to the next server. */
  readonly url: string;
  readonly servers: readonly OwnServer[];
  readonly postgres: Cluster;
  /** What the servers take for the S3 service. */
  readonly store: FaultyProxy;
  /** The service itself. */
  readonly seaweed: RunningService;
  readonly prefix: string;
  readonly folder: string;
  stop(): Promise<void>;
}

export async function startDeployment(settings: Settings = {}): Promise<Deployment> {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-scale-out-'));
  const closing: (() => Promise<unknown> | unknown)[] = [
    () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  ];
  const stop = async () => {
    for (const close of closing.reverse()) await close();
  };
  try {
    const [seaweed, postgres] = await Promise.all([startService(), startCluster({ fsync: true })]);
    closing.push(seaweed.stop, postgres.stop);
    const store = await startProxy({ after: (close) => void closing.push(close) }, seaweed.endpoint);
    const shared = {
      CRYOLIFT_DATABASE_URL: postgres.url,
      ...serviceAt(store.url).settings(PREFIX),
      CRYOLIFT_TRUST_PROXY: 'true',
      CRYOLIFT_ACCEPT: 'dat',
      CRYOLIFT_RATE_LIMIT: '1000000',
      ...settings,
    };
    const ports = await findPorts(SERVERS);
    const servers = await Promise.all(ports.map((port) => startServer({ ...shared, CRYOLIFT_PORT: String(port) })));
    closing.push(() => Promise.all(servers.map((server) => server.discard())));
    const caddy = await startCaddy(
      folder,
      servers.map(({ url }) => new URL(url).host),
    );
    closing.push(caddy.stop);
    return { url: caddy.url, servers, postgres, store, seaweed, prefix: PREFIX, folder, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startCaddy(folder: string, upstreams: readonly string[]) {
  const port = await findPort();
  const file = join(folder, 'Caddyfile');
  writeFileSync(
    file,
    `{
	admin off
	servers {
		protocols h1
	}
}
http://:${port} {
	bind 127.0.0.1
	reverse_proxy ${upstreams.join(' ')} {
		lb_policy round_robin
		# A server that does not take the connection is passed over.
		lb_try_duration 5s
		fail_duration 1s
		transport http {
			versions 1.1
			expect_continue_timeout 10s
			compression off
		}
	}
}
`,
  );
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const child = startProgram(CADDY.name, ['run', '--config', file, '--adapter', 'caddyfile'], env);
  const url = `http://127.0.0.1:${port}`;
  await awaitProgram(child, 'Caddy', () => answers(`${url}/healthz`), START_MS);
  return {
    url,
    async stop() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'close');
    },
  };
}
