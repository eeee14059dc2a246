/** The long show: `node suites/fuzz/main.ts --requests 1000000 --seed 1`. Exits with 1 when an answer was wrong. */
import { parseArgs } from 'node:util';
import { startServer } from '../server-under-test.ts';
import { fuzz } from './run.ts';

const { values } = parseArgs({
  options: { requests: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
});
const server = await startServer({
  CRYOLIFT_ACCEPT: 'txt',
  CRYOLIFT_QUOTA_BYTES: '64MiB',
  CRYOLIFT_LOG_LEVEL: 'error',
});
const { requests, byStatus, faults, residentBytes } = await fuzz(server, Number(values.requests), Number(values.seed));
await server.discard();
for (const fault of faults) console.log(fault);
console.log(`${requests} requests, ${faults.length} wrong answers; by status ${JSON.stringify(byStatus)}`);
console.log(
  `memory: ${residentBytes.map((bytes) => `${Math.round(bytes / 1024 ** 2)} MiB`).join(' after a third, then ')}`,
);
process.exitCode = faults.length > 0 ? 1 : 0;
