/** A server that accepts `.mdoc` files, and folders that `cryolift watch` uploads to it. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildHeader } from '@cryolift/mrc';
import type { FileRecord } from '@cryolift/protocol/messages';
import { parseLines, type Running, TestBench } from '../testing/test-process.ts';

export const SETTLE_MS = 2000;
export const WATCH = ['watch', '--json', '--settle', '2s'];

export let bench: TestBench;

export async function startBench(): Promise<void> {
  bench = await TestBench.start({ CRYOLIFT_ACCEPT: 'mdoc' });
}

export async function stopBench(): Promise<void> {
  await bench.stop();
}

export function makeMrc(sizeBytes: number): Buffer {
  const voxels = randomBytes(sizeBytes - 1024);
  return Buffer.concat([buildHeader({ nx: voxels.length, ny: 1, nz: 1, mode: 0 }), voxels]);
}

export function hash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function write(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), bytes);
}

/** The server's files that came from below `folder`, as `path sha256`, in order. */
export async function listFiles(label: string): Promise<string[]> {
  const { stdout } = await bench.run(['ls', '-r', '--json']);
  return parseLines<FileRecord & { kind: string }>(stdout)
    .filter(({ kind, metadata }) => kind === 'file' && metadata.label === label)
    .map(({ metadata, sha256 }) => `${metadata.path} ${sha256}`)
    .sort();
}

export function begin(label: string, args: readonly string[] = []): Running {
  return bench.begin([...WATCH, '--meta', `label=${label}`, ...args, bench.path(label)]);
}

export async function runOnce(label: string, args: readonly string[] = []) {
  const ended = await begin(label, ['--once', ...args]).ended;
  return { ...ended, events: parseLines(ended.stdout) };
}

/** Waits until `path` was uploaded. */
export async function until(running: Running, path: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let text = '';
  running.child.stdout?.on('data', (more: string) => {
    text += more;
    const lines = parseLines(text.slice(0, text.lastIndexOf('\n') + 1));
    if (lines.some((line) => line.event === 'done' && String(line.path).endsWith(path))) resolve();
  });
  running.ended.then(({ stderr }) => reject(new Error(`the watch ended: ${stderr}`)));
  await promise;
}
