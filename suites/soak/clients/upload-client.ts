/** `cryolift upload`, as a person runs it, again until it says that it is done. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileRecord } from '@cryolift/protocol/messages';
import type { Entry } from '../../reliability/ledger.ts';
import { type Actor, drawSize, repeat, runUntilDone } from '../scene.ts';
import { CommandLine, type Ended } from './command-line.ts';
import { checkPublished, openEntry } from './published.ts';

const MEAN_PAUSE_MS = 20_000;
const MIB = 1024 * 1024;
/** The token was refused. */
const REFUSED = 3;
const SOON_SECONDS = 3;

export async function runUploadClient(actor: Actor): Promise<void> {
  const command = new CommandLine(actor);
  await repeat(actor, MEAN_PAUSE_MS, async (nth) => {
    const { entry, bytes } = openEntry(actor, nth, drawSize(actor.random, actor.scene.mostBytes), 'command');
    const path = join(command.home, entry.plan.filename);
    writeFileSync(path, bytes);
    const isDone = await runUntilDone(
      actor,
      entry,
      async (again) => await upload(actor, command, entry, path, again),
      (error) => error instanceof TokenRefused,
    );
    rmSync(path);
    if (isDone) await checkPublished(actor, entry, 'one');
    else actor.scene.tally.upload.wrong++;
  });
  command.end('SIGTERM');
}

class TokenRefused extends Error {}

async function upload(actor: Actor, command: CommandLine, entry: Entry, path: string, again: number): Promise<void> {
  const { random, scene } = actor;
  const isTroubled = again === 0 && random.chance(0.25);
  const expires = again === 0 && random.chance(0.15);
  const limits = random.chance(0.7) ? ['--bwlimit', String(random.whole(MIB, 16 * MIB))] : [];
  const sha256 = random.chance(0.2) ? ['--sha256'] : [];
  const running = command.run(['upload', path, ...limits, ...sha256]);
  const troubled = isTroubled ? command.trouble() : null;
  if (expires) {
    command.renewToken(SOON_SECONDS);
    scene.note(`${entry.plan.filename}: a token that expires`);
    // After it has expired, the file has a good one again; a command that was refused before that has ended.
    await Promise.race([running, sleep((SOON_SECONDS + 1) * 1000)]);
    command.renewToken();
  }
  const ended = await running;
  if (troubled) scene.note(`${entry.plan.filename}: the client was ${await troubled}`);
  const { code, signal, stderr } = ended;
  if (code === 0) checkDone(actor, entry, ended);
  else if (code === REFUSED && expires) throw new TokenRefused(stderr);
  else throw new Error(`exit code ${code ?? signal}: ${stderr}`);
}

function checkDone({ scene }: Actor, entry: Entry, { stdout }: Ended): void {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
  const records = lines.map((line) => JSON.parse(line) as FileRecord & { event: string });
  const sha256 = records.find(({ event }) => event === 'done')?.sha256;
  if (!sha256 || differingDigits(sha256, entry.sha256) > 1)
    scene.ledger.noteFault(entry, `the command line says done, with SHA-256 ${sha256}`);
}

/** One may differ: a proxy turns a bit in some answers, which nothing but TLS protects. The file itself is read later. */
function differingDigits(a: string, b: string): number {
  return Math.abs(a.length - b.length) + [...a].filter((digit, at) => at < b.length && digit !== b[at]).length;
}
