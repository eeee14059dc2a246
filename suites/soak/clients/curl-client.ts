/** curl, with the commands of docs/guides/curl-and-python.md as they stand there, and an upload link. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { programIn } from '../../protocols/guides.ts';
import type { Entry } from '../../reliability/ledger.ts';
import { insist } from '../../reliability/upload-steps.ts';
import { type Actor, drawSize, repeat, runUntilDone } from '../scene.ts';
import { checkPublished, openEntry } from './published.ts';

const MEAN_PAUSE_MS = 12_000;
const PAGE = 'curl-and-python.md';
/** In one request; in one with the digest of the whole; a script that continues. */
const PROGRAMS = [0, 1, 2] as const;
/** A link serves so many uploads. */
const LINK_UPLOADS = 10;
/** curl waits for ever for an answer that does not come. */
const RUN_MS = 120_000;

export async function runCurlClient(actor: Actor): Promise<void> {
  const { scene, owner, random } = actor;
  const home = join(scene.folder, owner);
  let link = '';
  mkdirSync(home);
  await repeat(actor, MEAN_PAUSE_MS, async (nth) => {
    const { entry, bytes } = openEntry(actor, nth, drawSize(random, scene.mostBytes), 'tus');
    if (nth % LINK_UPLOADS === 0) link = await makeLink(actor, entry);
    const program = programIn(PAGE, 'sh', random.pick(PROGRAMS), {
      'https://lift.example.org': scene.cutUrl,
      'cl_link_…': link,
    }).replaceAll('movie.mrc', entry.plan.filename);
    writeFileSync(join(home, entry.plan.filename), bytes);
    const isDone = await runUntilDone(actor, entry, () => runShell(home, program));
    for (const end of ['', '.upload']) rmSync(join(home, entry.plan.filename + end), { force: true });
    // An answer that was lost is of a file that is there: the command is run again, and sends it again.
    if (isDone) await checkPublished(actor, entry, 'any');
    else scene.tally.curl.wrong++;
  });
}

async function makeLink({ scene }: Actor, entry: Entry): Promise<string> {
  const request = { method: 'POST', path: '/links', expected: ['201'] } as const;
  return (await insist(scene.steps, entry, request)).json<{ token: string }>().token;
}

async function runShell(home: string, program: string): Promise<void> {
  // A group of its own, so that curl ends with its shell.
  const child = spawn('sh', ['-c', program], { cwd: home, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2000);
  });
  const end = () => endGroup(child);
  process.once('exit', end);
  const timer = setTimeout(end, RUN_MS);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  process.off('exit', end);
  if (code !== 0) throw new Error(`the script of curl ended with ${code}: ${stderr}`);
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
