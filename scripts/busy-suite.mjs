/**
 * Runs the whole suite again and again on a machine that has no time for it: one busy loop on each core beside it, at the same
 * priority. `npm run test:busy -- --rounds 3 --folder PATH`; each round writes its output to PATH (./busy-suite when not
 * given). Exit code 1 when a round fails. It takes hours; with more files of tests at once (`CRYOLIFT_TEST_CONCURRENCY=6`)
 * the loops get less of the processors, and each test too.
 */
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Ends with this process, however that ends. */
const HOG =
  "process.on('disconnect', () => process.exit()); const spin = () => { const end = Date.now() + 500; while (Date.now() < end); setImmediate(spin); }; spin();";

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, folder: { type: 'string', default: 'busy-suite' } },
});
const rounds = Number(values.rounds);
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`--rounds ${values.rounds} is not a number of rounds`);
const folder = resolve(values.folder);
mkdirSync(folder, { recursive: true });

const hogs = Array.from({ length: availableParallelism() }, () =>
  spawn(process.execPath, ['-e', HOG], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] }),
);
let failed = 0;
for (let round = 1; round <= rounds; round++) {
  const log = join(folder, `round-${round}.log`);
  console.log(`round ${round} of ${rounds} beside ${hogs.length} busy loops: ${log}`);
  const code = await runSuite(log);
  // A hog that has died would make the round worth nothing.
  const gone = hogs.filter(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null).length;
  if (code !== 0 || gone > 0) failed++;
  console.log(`round ${round}: exit code ${code}${gone > 0 ? `, and ${gone} busy loops had ended` : ''}`);
}
for (const hog of hogs) hog.disconnect();
console.log(failed === 0 ? `no failure in ${rounds} rounds` : `${failed} of ${rounds} rounds failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** @returns the exit code of `npm test`; null when a signal ended it. */
function runSuite(log) {
  const output = createWriteStream(log);
  const child = spawn('npm', ['test'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pipe(output, { end: false });
  child.stderr.pipe(output, { end: false });
  return new Promise((done, fail) => {
    child.on('error', fail);
    child.on('close', (code) => output.end(() => done(code)));
  });
}
