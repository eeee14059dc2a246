/** `cryolift push`: copies a dataset to a destination of the server, and shows and cancels such copies. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Datasets } from '@cryolift/client';
import type { PushRecord } from '@cryolift/protocol/messages';
import { connect } from '../../connection/connection.ts';
import { formatBytes, formatTable } from '../../output/format.ts';
import { Output } from '../../output/output.ts';
import { EXIT, type ExitCode } from '../../process/exit.ts';
import { interruptible } from '../../process/interrupt.ts';
import { type Flags, find } from './dataset.ts';

const ALL = 'uploads:write files:read';
const POLL_MS = 1_000;

/** Ctrl-C ends the waiting, and not the push: the server goes on. */
export async function pushDataset(
  reference: string,
  { to, wait = false, ...flags }: Flags & { to: string; wait?: boolean },
): Promise<ExitCode> {
  const datasets = new Datasets(connect(flags, ALL));
  const output = new Output(flags.json);
  const signal = interruptible();
  const { dataset_id, name } = await find(datasets, reference);
  let push = await datasets.push(dataset_id, to, { signal });
  if (!wait) {
    output.result(push, () => `${push.push_id}  ${name} is pushed to ${describePlace(push)} by the server`);
    return EXIT.done;
  }
  for (let shown = ''; ['waiting', 'running'].includes(push.state); ) {
    await sleep(POLL_MS, null, { signal });
    push = await datasets.readPush(dataset_id, push.push_id, { signal });
    const text = describeProgress(push);
    if (text !== shown) output.note(text);
    shown = text;
  }
  output.result(push, () => `${push.push_id}  ${describeEnd(push, name)}`);
  return push.state === 'done' ? EXIT.done : EXIT.failed;
}

export async function listPushes(reference: string, flags: Flags): Promise<ExitCode> {
  const datasets = new Datasets(connect(flags, 'files:read'));
  const { dataset_id } = await find(datasets, reference);
  const pushes = await datasets.pushes(dataset_id);
  const output = new Output(flags.json);
  for (const each of pushes) output.event(each);
  output.table(() => {
    if (pushes.length === 0) return 'no pushes';
    const rows = pushes.map((push) => [
      push.push_id,
      describePlace(push),
      push.state,
      `${push.files_done}/${push.files ?? '?'}`,
      formatBytes(push.bytes_done),
      push.error ?? '',
    ]);
    return formatTable([['PUSH', 'TO', 'STATE', 'FILES', 'DONE', 'ERROR'], ...rows]);
  });
  return EXIT.done;
}

export async function listDestinations(flags: Flags): Promise<ExitCode> {
  const destinations = await new Datasets(connect(flags, 'files:read')).destinations();
  const output = new Output(flags.json);
  for (const each of destinations) output.event(each);
  output.table(() => {
    if (destinations.length === 0) return 'the operator of the server has named no destination for you';
    return formatTable([['NAME', 'KIND'], ...destinations.map(({ name, kind }) => [name, kind])]);
  });
  return EXIT.done;
}

export async function cancelPush(reference: string, pushId: string, flags: Flags): Promise<ExitCode> {
  const datasets = new Datasets(connect(flags, ALL));
  const { dataset_id, name } = await find(datasets, reference);
  const push = await datasets.cancelPush(dataset_id, pushId);
  new Output(flags.json).result(push, () => `${push.push_id}  ${describeEnd(push, name)}`);
  return EXIT.done;
}

function describePlace({ destination, folder }: PushRecord): string {
  return folder === '' ? destination : `${destination}/${folder}`;
}

function describeProgress({ state, files, files_done, bytes, bytes_done, error }: PushRecord): string {
  if (files === null || bytes === null) return `${state}: ${error ?? 'not begun'}`;
  const done = `${files_done} of ${files} files, ${formatBytes(bytes_done)} of ${formatBytes(bytes)}`;
  return error === null ? `${state}: ${done}` : `${state}: ${done}; the server tries again: ${error}`;
}

function describeEnd(push: PushRecord, name: string): string {
  const place = describePlace(push);
  if (push.state === 'done') return `${name} is at ${place}: ${push.files_done} files verified, with the receipt`;
  if (push.state === 'failed') return `${name} could not be pushed to ${place}: ${push.error}`;
  return `the push of ${name} to ${place} is ${push.state}; files that are there stay there`;
}
