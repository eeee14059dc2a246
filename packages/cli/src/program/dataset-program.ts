/** `cryolift dataset` and its subcommands, with their options. */
import { CHECK_LISTS } from '@cryolift/protocol/dataset-lists';
import { DATASET_STATES } from '@cryolift/protocol/dataset-states';
import { type Command, Option } from 'commander';
import { between, collectPair, parseCount, secondsBetween } from '../options/quantity.ts';
import { addCommand } from './add-command.ts';
import { countOption } from './count-option.ts';
import type { Finish } from './server-commands.ts';

const QUOTA = between('size', '1b', '8191TiB');
const DATASET = 'a dataset: its name or its id';
const RANGES = 4;
const EXPECTED_LINES = `
A list has a file on each line: its path below the folder that is uploaded; or
its SHA-256 and its path, as sha256sum writes them; or a JSON object:
{"path": "grid1/a.mrc", "size": 4096, "sha256": "…"}. What it does not say may
be anything. \`upload -r FOLDER\` puts the name of FOLDER in front of its paths:
give it with --prefix.`;
const DURATION = secondsBetween('1s', '36500d');

export function addDataset(program: Command, finish: Finish): void {
  const dataset = addCommand(program, 'dataset', 'make, list, complete and delete datasets: sets of files', false);
  const add = (name: string, description: string) => addCommand(dataset, name, description, false);
  add('create', 'make a dataset')
    .argument('<name>')
    .option('--project <text>', 'project or proposal')
    .option('--instrument <text>', 'what the files come from')
    .option('--field <key=value>', 'a free field; repeatable', collectPair)
    .option('--expect <n>', 'how many files it is to have', (text: string) =>
      parseCount(text, Number.MAX_SAFE_INTEGER, 0),
    )
    .option('--auto', 'complete it when the last missing file has arrived')
    .option('--quota <size>', 'how many bytes its files may have together, such as 2TiB', QUOTA)
    .option(
      '--retention <duration>',
      'how long after its completion its files are kept, such as 30d; default: for ever',
      DURATION,
    )
    .option(
      '--warn <duration>',
      'how long before they are deleted an event says so, at most half of the retention; default: 7d',
      DURATION,
    )
    .option(
      '--silent-after <duration>',
      'how long nothing may arrive until an event says so, such as 20m; default: for ever',
      secondsBetween('1m', '36500d'),
    )
    .action(async (name: string, _own: unknown, command: Command) => {
      const { createDataset } = await import('../commands/datasets/dataset.ts');
      finish(await createDataset(name, command.optsWithGlobals()));
    });
  add('ls', 'list your datasets, the newest first')
    .addOption(new Option('--state <state>', 'only those in this state').choices(DATASET_STATES))
    .option('--filter <words>', 'only those with all these words in name, project, instrument or fields')
    .action(async (_own: unknown, command: Command) => {
      const { listDatasets } = await import('../commands/datasets/dataset.ts');
      finish(await listDatasets(command.optsWithGlobals()));
    });
  add('show', 'show what is known of a dataset')
    .argument('<dataset>', DATASET)
    .action(async (reference: string, _own: unknown, command: Command) => {
      const { showDataset } = await import('../commands/datasets/dataset.ts');
      finish(await showDataset(reference, command.optsWithGlobals()));
    });
  add('set', 'change how long the files of a dataset are kept')
    .argument('<dataset>', DATASET)
    .option(
      '--retention <duration>',
      'how long after its completion, such as 60d, or never: they are not deleted',
      (text) => (text === 'never' ? text : DURATION(text)),
    )
    .option('--warn <duration>', 'how long before an event says so, at most half of the retention', DURATION)
    .action(async (reference: string, _own: unknown, command: Command) => {
      const { changeRetention } = await import('../commands/datasets/dataset.ts');
      finish(await changeRetention(reference, command.optsWithGlobals()));
    });
  add('check', 'show what is missing in a dataset; exit code 1: it is not whole')
    .argument('<dataset>', DATASET)
    .addOption(new Option('--list <which>', 'the files to name').choices(CHECK_LISTS).default('missing'))
    .action(async (reference: string, _own: unknown, command: Command) => {
      const { checkDataset } = await import('../commands/datasets/check.ts');
      finish(await checkDataset(reference, command.optsWithGlobals()));
    });
  add('expect', 'say which files a dataset is to have, or withdraw what was said')
    .argument('<dataset>', DATASET)
    .argument(
      '[path...]',
      'the list: a file, or - for standard input; with --withdraw: paths in the dataset, @LIST or -',
    )
    .option('--prefix <path>', 'folders on the server in front of these paths')
    .option('--withdraw', 'expect these files no more')
    .option('--all', 'with --withdraw: all that were announced')
    .addHelpText('after', EXPECTED_LINES)
    .action(async (reference: string, given: string[], _own: unknown, command: Command) => {
      const { expectFiles } = await import('../commands/datasets/expect.ts');
      finish(await expectFiles(reference, given, command.optsWithGlobals()));
    });
  add('complete', 'complete a dataset: all files are there, and it takes no more')
    .argument('<dataset>', DATASET)
    .option('--force', 'also while files are missing; its record says so for ever')
    .action(async (reference: string, _own: unknown, command: Command) => {
      const { completeDataset } = await import('../commands/datasets/dataset.ts');
      finish(await completeDataset(reference, command.optsWithGlobals()));
    });
  add('receipt', 'get the signed list of the files of a dataset, or give the server that of another one')
    .argument('<dataset>', DATASET)
    .option('-o, --output <file>', 'where to write it (default: standard output)')
    .option('--now', 'of what it has now, also while it is open')
    .addOption(
      new Option('--previous <file>', 'the receipt of the server that had the files before').conflicts([
        'output',
        'now',
      ]),
    )
    .action(async (reference: string, _own: unknown, command: Command) => {
      const { datasetReceipt } = await import('../commands/datasets/receipt.ts');
      finish(await datasetReceipt(reference, command.optsWithGlobals()));
    });
  add('download', 'download all files of a dataset into a folder')
    .argument('<dataset>', DATASET)
    .requiredOption('-o, --output <folder>', 'where to write; it is created when it is missing')
    .option('--bag', 'as a bag (BagIt, RFC 8493) with its receipt: the files are in its folder data')
    .addOption(countOption('--parallel', 'ranges of a file downloaded at the same time', RANGES))
    .option('-f, --force', 'replace files that differ')
    .action(async (reference: string, _own: unknown, command: Command) => {
      const { downloadDataset } = await import('../commands/datasets/download.ts');
      finish(await downloadDataset(reference, command.optsWithGlobals()));
    });
  add('share', 'make a URL with which anybody can list and download the files of a dataset, for a time')
    .argument('<dataset>', DATASET)
    .option('--expires <duration>', 'how long the URL is valid: 24h by default, at most 7d', secondsBetween('1s', '7d'))
    .action(async (reference: string, _own: unknown, command: Command) => {
      const { shareDataset } = await import('../commands/share.ts');
      finish(await shareDataset(reference, command.optsWithGlobals()));
    });
  add('release', 'say that the files of a complete dataset were handed over')
    .argument('<dataset>', DATASET)
    .action(async (reference: string, _own: unknown, command: Command) => {
      const { moveDataset } = await import('../commands/datasets/dataset.ts');
      finish(await moveDataset(reference, 'release', command.optsWithGlobals()));
    });
  add('reopen', 'let a complete dataset take files again')
    .argument('<dataset>', DATASET)
    .action(async (reference: string, _own: unknown, command: Command) => {
      const { moveDataset } = await import('../commands/datasets/dataset.ts');
      finish(await moveDataset(reference, 'reopen', command.optsWithGlobals()));
    });
  add('rm', 'delete a dataset with all its files; this cannot be undone')
    .argument('<dataset>', DATASET)
    .option('-y, --yes', 'without a question')
    .action(async (reference: string, _own: unknown, command: Command) => {
      const { removeDataset } = await import('../commands/datasets/dataset.ts');
      finish(await removeDataset(reference, command.optsWithGlobals()));
    });
}
