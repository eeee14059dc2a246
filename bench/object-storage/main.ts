/**
 * Uploads to an object storage, in turns: `Upload` of `@aws-sdk/lib-storage` straight to SeaweedFS, and `cryolift upload`
 * to a server that stores there, with direct parts and with parts through the server. Each is a process of its own from
 * its start to its end. `npm run bench:object-storage [-- --size GiB --rounds N]`.
 */
import { linkSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GIB } from '@cryolift/protocol/plan';
import { startCluster, urlOf } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { startSeaweed } from '../../suites/engines/seaweedfs.ts';
import { CLI, type Server, startServer } from '../cryolift.ts';
import { installPeers, PEERS } from '../peers.ts';
import { runToEnd } from '../process.ts';
import { median } from '../report/quantile.ts';
import { writeRandom } from '../sdk.ts';

const PARALLEL = 4;
const LIBRARY = join(PEERS, 'lib-storage.js');

const { values } = parseArgs({
  options: { size: { type: 'string', default: '1' }, rounds: { type: 'string', default: '5' } },
});
const gib = Number(values.size);
installPeers();
const folder = mkdtempSync(join(tmpdir(), 'cryolift-object-storage-'));
const file = join(folder, 'sent.raw');
const [seaweed, postgres] = await Promise.all([startSeaweed(), startCluster({ fsync: true })]);
const servers: Server[] = [];
try {
  await writeRandom(file, gib * GIB);
  const contestants: readonly Contestant[] = [
    library('lib-storage', 'CRC32'),
    library('lib-storage, SHA-256', 'SHA256'),
    await cryolift('cryolift, direct parts', 'direct', true),
    await cryolift('cryolift, parts through the server', 'proxied', false),
  ];
  const seconds = new Map(contestants.map((contestant): [Contestant, number[]] => [contestant, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [{ send }, times] of seconds) times.push(await send(round));
  }
  const [[, reference] = [null, []]] = seconds;
  for (const [{ name }, times] of seconds) {
    const speed = (gib * 1024) / median(times);
    const ratio = median(reference) / median(times);
    console.log(`${name.padEnd(36)} ${speed.toFixed(0).padStart(5)} MiB/s  ${ratio.toFixed(2)} × lib-storage`);
  }
} finally {
  for (const server of servers) await server.process.stop();
  await Promise.all([seaweed.stop(), postgres.stop()]);
  rmSync(folder, { recursive: true, force: true });
}

interface Contestant {
  readonly name: string;
  /** @returns seconds. */
  send(round: number): Promise<number>;
}

function library(name: string, checksum: string): Contestant {
  const { endpoint, bucket } = seaweed;
  return {
    name,
    async send(round) {
      const args = [LIBRARY, file, endpoint, bucket, `library/${checksum}-${round}`, String(PARALLEL), checksum];
      return (
        await runToEnd(args, {
          AWS_ACCESS_KEY_ID: seaweed.credentials.accessKeyId,
          AWS_SECRET_ACCESS_KEY: seaweed.credentials.secretAccessKey,
        })
      ).seconds;
    },
  };
}

async function cryolift(name: string, prefix: string, direct: boolean): Promise<Contestant> {
  await postgres.run(`create database ${prefix}`);
  const server = await startServer(join(folder, prefix), {
    CRYOLIFT_DATABASE_URL: urlOf(postgres.url, prefix),
    ...seaweed.settings(prefix),
    CRYOLIFT_STORAGE_URL: `${seaweed.storageUrl(prefix)}&direct=${direct}`,
  });
  servers.push(server);
  return {
    name,
    async send(round) {
      // Another name is another upload, although the bytes are the same.
      const named = join(folder, `${prefix}-${round}.raw`);
      linkSync(file, named);
      const args = ['upload', named, '--server', server.url, '--json'];
      const parallel = ['--parallel', String(PARALLEL), '--part-size', '8MiB'];
      const home = join(folder, `${prefix}-${round}`);
      const env = { CRYOLIFT_TOKEN: server.token, HOME: home, XDG_STATE_HOME: home };
      return (await runToEnd([CLI, ...args, ...parallel], env)).seconds;
    },
  };
}
