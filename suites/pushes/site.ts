/** What tests of pushes need: datasets, destinations in a file, and what has become of a push. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PushRecord } from '@cryolift/protocol/messages';
import { makeDataset, move } from '../contract/datasets/calls.ts';
import { makeMrc } from '../contract/sample.ts';
import { eventually, publish } from '../contract/upload.ts';
import type { Call } from '../contract/wire.ts';

export const LONG = { timeout: 240_000 };

/** What ends with a test, or with a file of tests. */
export interface Scope {
  after(end: () => unknown): void;
}

/** @returns the path of a file of destinations. */
export function writeDestinations(t: Scope, destinations: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'cryolift-destinations-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'destinations.json');
  writeFileSync(path, JSON.stringify(destinations));
  return path;
}

export interface Filled {
  readonly id: string;
  /** Bytes by path. */
  readonly files: ReadonlyMap<string, Buffer>;
}

/** A complete dataset. */
export async function fillDataset(call: Call, name: string, sizes: readonly number[]): Promise<Filled> {
  const { dataset_id: id } = await makeDataset(call, { name, project: 'EMP-1' });
  const files = new Map<string, Buffer>();
  for (const [at, size] of sizes.entries()) {
    const path = `Grid 1/${at} ü.mrc`;
    const bytes = Buffer.from(makeMrc(size));
    files.set(path, bytes);
    await publish(call, bytes, { dataset_id: id, filename: `${at} ü.mrc`, metadata: { path } });
  }
  await move(call, id, 'complete');
  return { id, files };
}

export async function push(call: Call, id: string, to: string): Promise<PushRecord> {
  const answer = await call('POST', `/datasets/${id}/pushes`, { json: { to } });
  assert.equal(answer.status, 202, answer.body.toString());
  return answer.json<PushRecord>();
}

export async function readPush(call: Call, { dataset_id, push_id }: PushRecord): Promise<PushRecord> {
  return (await call('GET', `/datasets/${dataset_id}/pushes/${push_id}`)).json<PushRecord>();
}

/** How it has ended. */
export async function endOf(call: Call, begun: PushRecord): Promise<PushRecord> {
  return await eventually(
    () => readPush(call, begun),
    ({ state }) => !['waiting', 'running'].includes(state),
  );
}
