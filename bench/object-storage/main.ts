/**
 * Uploads to an object storage, in turns: `Upload` of `@aws-sdk/lib-storage` straight to SeaweedFS, and `Uploader` of the
 * SDK and `cryolift upload` to a server that stores there, with direct parts and with parts through the server. Each is a
 * process of its own from its start to its end. CPU columns are seconds per GiB. `npm run bench:object-storage [-- --size GiB --rounds N --parallel N]`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { GIB } from '@cryolift/protocol/plan';
import { startCluster } from '../../packages/server/src/db/postgres/test-cluster.ts';
import { startSeaweed } from '../../suites/engines/seaweedfs.ts';
import { installPeers } from '../peers.ts';
import { median } from '../report/quantile.ts';
import { writeRandom } from '../sdk.ts';
import { Contest, type Contestant, type Cost } from './contestants.ts';

const COLUMNS = ['MiB/s', '÷ library', 'client', 'server', 'storage', 'database', 'later'];

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    parallel: { type: 'string', default: '4' },
  },
});
const gib = Number(values.size);
installPeers();
const folder = mkdtempSync(join(tmpdir(), 'cryolift-object-storage-'));
const file = join(folder, 'sent.raw');
const [seaweed, postgres] = await Promise.all([startSeaweed(), startCluster({ fsync: true })]);
const contest = new Contest({ file, folder, seaweed, postgres, parallel: Number(values.parallel) });
try {
  await writeRandom(file, gib * GIB);
  const direct = await contest.startServer('direct', true);
  const proxied = await contest.startServer('proxied', false);
  const contestants: readonly Contestant[] = [
    contest.library('lib-storage', 'CRC32'),
    contest.library('lib-storage, SHA-256', 'SHA256'),
    contest.sdk('SDK, direct parts', direct),
    contest.sdk('SDK, parts through the server', proxied),
    contest.command('cryolift upload, direct parts', direct),
    contest.command('cryolift upload, through the server', proxied),
  ];
  const costs = new Map(contestants.map((contestant): [Contestant, Cost[]] => [contestant, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [contestant, measured] of costs) measured.push(await contestant.send(round));
  }
  console.log(`${''.padEnd(36)} ${COLUMNS.map((column) => column.padStart(9)).join(' ')}`);
  const reference = median(
    costs
      .values()
      .next()
      .value?.map(({ seconds }) => seconds) ?? [],
  );
  for (const [{ name }, measured] of costs) {
    const of = (pick: (cost: Cost) => number) => median(measured.map(pick));
    const seconds = of((cost) => cost.seconds);
    const cpu = (['client', 'server', 'storage', 'database', 'later'] as const).map(
      (who) => of((cost) => cost[who]) / gib,
    );
    const figures = [
      ((gib * 1024) / seconds).toFixed(0),
      (reference / seconds).toFixed(2),
      ...cpu.map((each) => each.toFixed(2)),
    ];
    console.log(`${name.padEnd(36)} ${figures.map((figure) => figure.padStart(9)).join(' ')}`);
  }
} finally {
  await contest.end();
  await Promise.all([seaweed.stop(), postgres.stop()]);
  rmSync(folder, { recursive: true, force: true });
}
