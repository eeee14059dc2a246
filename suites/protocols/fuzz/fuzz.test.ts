/** Fuzz of heads and offsets at `/tus` and `/resumable`. `node suites/protocols/fuzz.ts --runs 1000` has more of it. */
import { test } from 'node:test';
import { fuzzProtocols, PATHS } from './run.ts';

const RUNS = 6;
const SEED = Number(process.env.CRYOLIFT_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));

for (const path of Object.keys(PATHS) as (keyof typeof PATHS)[]) {
  test(`upload protocols: no head and no offset is answered 5xx or stores a wrong byte, on the ${path}`, async () => {
    await fuzzProtocols(path, RUNS, SEED);
  });
}
