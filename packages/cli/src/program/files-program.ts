/** The commands about files on the server, with their options. */
import { type Command, Option } from 'commander';
import { secondsBetween } from '../options/quantity.ts';
import { UsageError } from '../process/exit.ts';
import { addCommand } from './add-command.ts';
import { countOption } from './count-option.ts';
import type { Finish } from './server-commands.ts';

const RANGES = 4;
const FILE = "a file: its id, its path, its name, or a glob: '*.mrc', 'session7/**/*.mrc'";
const SORTS = ['created_at', 'filename', 'size'] as const;

export function addFiles(program: Command, finish: Finish): void {
  const add = (name: string, description: string) => addCommand(program, name, description);
  add('ls', 'list your unfinished uploads, your folders and your files')
    .argument('[remote_folder]', 'a folder on the server')
    .option('-r, --recursive', 'also the files of the folders below')
    .option('--long', 'whole digests and times, and the ids of files')
    .addOption(new Option('--sort <by>', 'the newest or the largest first, or by name').choices(SORTS))
    .option('--filter <words>', 'only files with all these words in path, name or metadata; also in folders below')
    .action(async (folder: string | undefined, _own: unknown, command: Command) => {
      const { list } = await import('../commands/list.ts');
      finish(await list(folder, command.optsWithGlobals()));
    });
  add('download', 'download files: parallel, resumable, verified')
    .argument('<remote_file...>', FILE)
    .option(
      '-o, --output <path>',
      'where to write: a folder, a file, or - for standard output (default: the current folder)',
    )
    .option('-r, --recursive', 'a file may also be a folder: all files below it, in folders as on the server')
    .addOption(countOption('--parallel', 'ranges of a file downloaded at the same time', RANGES))
    .option('-f, --force', 'replace existing files')
    .action(async (files: string[], _own: unknown, command: Command) => {
      const { fetchFiles } = await import('../commands/download.ts');
      finish(await fetchFiles(files, command.optsWithGlobals()));
    });
  add('rm', 'delete files from the server; this cannot be undone')
    .argument('<remote_file...>', FILE)
    .option('-r, --recursive', 'a file may also be a folder: all files below it')
    .option('-y, --yes', 'delete several files without a question')
    .action(async (files: string[], _own: unknown, command: Command) => {
      const { remove } = await import('../commands/removal.ts');
      finish(await remove(files, command.optsWithGlobals()));
    });
  add('share', 'make a URL with which anybody can download a file, for a time')
    .argument('<remote_file>', 'a file: its id, its path or its name')
    .option('--expires <duration>', 'how long the URL is valid: 24h by default, at most 7d', secondsBetween('1s', '7d'))
    .action(async (file: string, _own: unknown, command: Command) => {
      const { share } = await import('../commands/share.ts');
      finish(await share(file, command.optsWithGlobals()));
    });
  add('verify', 'compare a local file, or a folder, with what a server has or had')
    .argument('<path>', 'a file; with --receipt a folder')
    .argument('[remote_file]', 'its id, its path or its name on the server')
    .option('--receipt <file>', 'compare the files of a folder with a receipt; no server is needed')
    .option(
      '--keys <file>',
      'public keys of the server that signs receipts: its /.well-known/cryolift-receipt-keys.json',
    )
    .action(async (path: string, file: string | undefined, _own: unknown, command: Command) => {
      const { receipt, ...options } = command.optsWithGlobals();
      if ((receipt === undefined) === (file === undefined)) {
        throw new UsageError('verify needs a file of the server, or --receipt FILE');
      }
      if (file !== undefined && options.keys !== undefined) throw new UsageError('--keys belongs to --receipt');
      if (file === undefined) {
        const { verifyByReceipt } = await import('../commands/verify-receipt.ts');
        finish(await verifyByReceipt(path, { receipt, ...options }));
        return;
      }
      const { verify } = await import('../commands/verify.ts');
      finish(await verify(path, file, options));
    });
  add('quota', 'show the space and the files that you use, and may use').action(
    async (_own: unknown, command: Command) => {
      const { showQuota } = await import('../commands/quota.ts');
      finish(await showQuota(command.optsWithGlobals()));
    },
  );
  add('open', "print the link of the server's page").action(async (_own: unknown, command: Command) => {
    const { printPageLink } = await import('../commands/page.ts');
    finish(await printPageLink(command.optsWithGlobals()));
  });
}
