/** `cryolift watch --delete`: one process for the whole soak, into whose folder files fall. */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Actor, drawSize, repeat, runUntilDone } from '../scene.ts';
import { CommandLine } from './command-line.ts';
import { checkPublished, openEntry } from './published.ts';

const MEAN_PAUSE_MS = 15_000;
const TROUBLE_SHARE = 0.05;
const POLL_MS = 500;

export async function runWatchClient(actor: Actor): Promise<void> {
  const { scene, random } = actor;
  const command = new CommandLine(actor);
  const folder = join(command.home, 'watched');
  mkdirSync(folder);
  const ending = new AbortController();
  const watching = keepWatching(actor, command, folder, ending.signal);
  await repeat(actor, MEAN_PAUSE_MS, async (nth) => {
    const { entry, bytes } = openEntry(actor, nth, drawSize(random, scene.mostBytes), 'command');
    const path = join(folder, entry.plan.filename);
    // Some grow slowly: the watch must wait for the end.
    const half = random.chance(0.3) ? bytes.length >> 1 : bytes.length;
    writeFileSync(`${path}.part`, bytes.subarray(0, half));
    renameSync(`${path}.part`, path);
    await sleep(half < bytes.length ? 300 : 0);
    writeFileSync(path, bytes.subarray(half), { flag: 'a' });
    if (random.chance(TROUBLE_SHARE)) void command.trouble().then((what) => scene.note(`watch: ${what}`));
    const isDone = await runUntilDone(actor, entry, async () => {
      while (existsSync(path)) await sleep(POLL_MS);
    });
    if (isDone) await checkPublished(actor, entry, 'one');
    else scene.tally.watch.wrong++;
  });
  ending.abort();
  command.end('SIGTERM');
  await watching;
}

/** A watch that was killed is started again. One that ends by itself is a fault. */
async function keepWatching(actor: Actor, command: CommandLine, folder: string, end: AbortSignal): Promise<void> {
  const { scene } = actor;
  while (!end.aborted) {
    const { code, signal, stderr } = await command.run(['watch', folder, '--settle', '2s', '--delete']);
    if (end.aborted) return;
    scene.note(`watch: ended with ${code ?? signal}`);
    if (signal !== 'SIGKILL') {
      scene.ledger.noteFault(null, `the watch ended with ${code ?? signal}: ${stderr.slice(-2000)}`);
      await sleep(5000, undefined, { signal: end }).catch(() => {});
    }
    scene.tally.watch.repeated++;
  }
}
