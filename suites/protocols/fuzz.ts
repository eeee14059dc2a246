/** `node suites/protocols/fuzz.ts --runs 1000 [--seed N]`: fuzz of heads and offsets at `/tus` and `/resumable`. */
import { parseArgs } from 'node:util';
import { fuzzProtocols, PATHS } from './fuzz/run.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
for (const path of Object.keys(PATHS) as (keyof typeof PATHS)[]) {
  await fuzzProtocols(path, Number(values.runs), Number(values.seed));
  console.log(
    `${path}: ${values.runs} runs of appends and ${Number(values.runs) * 10} heads for each protocol, seed ${values.seed}`,
  );
}
