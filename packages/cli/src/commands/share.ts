/** `cryolift share FILE`, `cryolift dataset share DATASET`: a URL with which anybody can download for a time. */
import { Datasets } from '@cryolift/client';
import { pathOf } from '@cryolift/protocol/file-path';
import { type ConnectionOptions, connect } from '../connection/connection.ts';
import { findRecord } from '../library/find-records.ts';
import { Output } from '../output/output.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';
import { find } from './datasets/dataset.ts';

/** Seconds. */
const DEFAULT_EXPIRES = 24 * 3600;

export interface ShareFlags extends ConnectionOptions {
  json?: boolean;
  /** Seconds. */
  expires?: number;
}

export async function share(reference: string, flags: ShareFlags): Promise<ExitCode> {
  const api = connect(flags, 'files:read');
  const output = new Output(flags.json);
  const file = await findRecord(api, reference, interruptible());
  const signed = await api.signFile(file.file_id, flags.expires ?? DEFAULT_EXPIRES);
  output.result({ file_id: file.file_id, filename: file.filename, ...signed }, () => signed.url);
  output.note(`anybody with this URL can download ${pathOf(file.filename, file.metadata)} until ${signed.expires_at}`);
  return EXIT.done;
}

export async function shareDataset(reference: string, flags: ShareFlags): Promise<ExitCode> {
  const datasets = new Datasets(connect(flags, 'files:read'));
  const output = new Output(flags.json);
  const { dataset_id, name } = await find(datasets, reference);
  const signed = await datasets.sign(dataset_id, flags.expires ?? DEFAULT_EXPIRES);
  output.result({ dataset_id, name, ...signed }, () => signed.url);
  output.note(`anybody with this URL can download the files of ${name} until ${signed.expires_at}, also in a browser`);
  output.note(`all of them: curl -sS 'URL' | aria2c --input-file=-`);
  return EXIT.done;
}
