/**
 * The long show: `node suites/webhooks/main.ts --runs 100 --seed 1 --parallel 3`. Prints a line per run; exits with 1 when
 * an event was lost, or came out of order.
 */
import { parseArgs } from 'node:util';
import { type Result, run } from './run.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    parallel: { type: 'string', default: '3' },
  },
});
const first = Number(values.seed);
const seeds = Array.from({ length: Number(values.runs) }, (_, idx) => first + idx);
const results: Result[] = [];
const worker = async () => {
  for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
    const result = await run(seed);
    results.push(result);
    const { events, deliveries, kills, faults } = result;
    console.log(
      `seed ${seed}: ${events} events, ${deliveries} came, ${kills} kills: ${faults.length === 0 ? 'right' : faults.join('; ')}`,
    );
  }
};
await Promise.all(Array.from({ length: Number(values.parallel) }, worker));
const sum = (pick: (result: Result) => number) => results.reduce((total, result) => total + pick(result), 0);
const wrong = results.filter(({ faults }) => faults.length > 0);
console.log(
  `${results.length} runs, ${wrong.length} wrong; ${sum(({ events }) => events)} events came ${sum(({ deliveries }) => deliveries)} times, over ${sum(({ kills }) => kills)} kills`,
);
process.exitCode = wrong.length > 0 ? 1 : 0;
