/** `cryolift dataset receipt`: gets the receipt of a dataset, or gives the server that of another one. */
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Datasets, ServerError } from '@cryolift/client';
import { ReceiptDocument } from '@cryolift/protocol/messages';
import { Value } from 'typebox/value';
import { connect } from '../../connection/connection.ts';
import { Output } from '../../output/output.ts';
import { EXIT, type ExitCode, UsageError } from '../../process/exit.ts';
import { writeOutput } from '../../process/finish.ts';
import { interruptible } from '../../process/interrupt.ts';
import { type Flags, find } from './dataset.ts';

interface ReceiptFlags extends Flags {
  output?: string;
  now?: boolean;
  /** Path of the receipt of another server. */
  previous?: string;
}

/** While the receipt of a completion is being made. */
const WAIT_MS = 1_000;

export async function datasetReceipt(reference: string, flags: ReceiptFlags): Promise<ExitCode> {
  const { output: path, now = false, previous } = flags;
  const output = new Output(flags.json);
  const signal = interruptible();
  if (previous !== undefined) {
    const datasets = new Datasets(connect(flags, 'uploads:write files:read'));
    const { dataset_id, name } = await find(datasets, reference);
    const taken = await datasets.takeReceipt(dataset_id, await readDocument(previous), { signal });
    output.result(taken, () => `the receipt ${previous} is that of ${name} before`);
    return EXIT.done;
  }
  const datasets = new Datasets(connect(flags, now ? 'uploads:write files:read' : 'files:read'));
  const { dataset_id, name } = await find(datasets, reference);
  const text = now
    ? await datasets.issueReceipt(dataset_id, { signal })
    : await getReceipt(datasets, dataset_id, signal);
  if (path === undefined) {
    await writeOutput(Buffer.from(text), signal);
    return EXIT.done;
  }
  await writeFile(path, text);
  output.result({ event: 'done', path, dataset_id }, () => `${path}  receipt of ${name}`);
  return EXIT.done;
}

/** Waits until the receipt of a completion is made. */
export async function getReceipt(datasets: Datasets, id: string, signal: AbortSignal): Promise<string> {
  for (;;) {
    try {
      return await datasets.receipt(id, { signal });
    } catch (error) {
      if (!(error instanceof ServerError) || error.code !== 'receipt_not_ready') throw error;
      await sleep(WAIT_MS, null, { signal });
    }
  }
}

async function readDocument(path: string): Promise<ReceiptDocument> {
  try {
    const document: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (Value.Check(ReceiptDocument, document)) return document;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new UsageError(`${path} is not a receipt`);
}
