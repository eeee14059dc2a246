/** `cryolift dataset download`: downloads all files of a dataset, also as a bag (BagIt, RFC 8493). */
import { join } from 'node:path';
import { Datasets } from '@cryolift/client';
import { pathOf } from '@cryolift/protocol/file-path';
import { connect } from '../../connection/connection.ts';
import { collect } from '../../output/collect-pages.ts';
import { Output } from '../../output/output.ts';
import { EXIT, type ExitCode } from '../../process/exit.ts';
import { interruptible } from '../../process/interrupt.ts';
import { writeBag } from '../../receipts/bag.ts';
import { assertFolderOrNothing, downloadMany } from '../download-many.ts';
import { type Flags, find } from './dataset.ts';
import { getReceipt } from './receipt.ts';

interface DownloadFlags extends Flags {
  output: string;
  bag?: boolean;
  parallel: number;
  force?: boolean;
}

const PAGE = 1000;

/** A second run continues, and skips what is there. The bag is written when all files are. */
export async function downloadDataset(reference: string, flags: DownloadFlags): Promise<ExitCode> {
  const { output: folder, bag = false, parallel, force = false } = flags;
  const output = new Output(flags.json);
  const signal = interruptible();
  const api = connect(flags, 'files:read');
  const datasets = new Datasets(api);
  const { dataset_id, name } = await find(datasets, reference);
  await assertFolderOrNothing(folder);
  // Before the files, so that a dataset without a receipt is refused before they are downloaded.
  const receipt = bag ? await getReceipt(datasets, dataset_id, signal) : null;
  const files = await collect((cursor) =>
    datasets.files(dataset_id, { limit: PAGE, ...(cursor && { cursor }) }, { signal }),
  );
  const records = files.map((file) => ({ file, path: pathOf(file.filename, file.metadata) }));
  const target = bag ? join(folder, 'data') : folder;
  const code = await downloadMany(records, target, { api, output, signal, parallel, force });
  if (code !== EXIT.done || receipt === null) return code;
  await writeBag(folder, receipt);
  output.result({ event: 'bag', path: folder, dataset_id }, () => `${folder}  bag of ${name}, with its receipt`);
  return EXIT.done;
}
