/** `cryolift watch` and its subcommands, with their options. */
import { type Command, Option } from 'commander';
import { parseTimetable } from '../options/bandwidth.ts';
import { FILES, PARTS, SETTLE_BOUNDS, SETTLE_SECONDS } from '../options/defaults.ts';
import { collectPair, collectText, secondsBetween } from '../options/quantity.ts';
import { addCommand } from './add-command.ts';
import { countOption } from './count-option.ts';
import type { Finish } from './server-commands.ts';

export function addWatch(program: Command, finish: Finish): void {
  addCommand(program, 'watch', 'upload the files of a folder when they stop changing')
    .argument('<dir>')
    .addOption(
      new Option('--settle <duration>', 'how long the size and times of a file must be unchanged before it is uploaded')
        .argParser(secondsBetween(...SETTLE_BOUNDS))
        .default(SETTLE_SECONDS, '60s'),
    )
    .option('--move-to <dir>', 'move files there, with their subfolders, after the server has confirmed their digest')
    .option('--delete', 'delete local files after the server has confirmed their digest')
    .option('--once', 'exit when all files in the folder are uploaded')
    .option(
      '--include <glob>',
      "only these files: '*.mrc' in any folder, 'grid1/**/*.mrc' from the given folder",
      collectText,
    )
    .option('--exclude <glob>', 'leave out these files and folders; repeatable', collectText)
    .addOption(countOption('--files', 'files uploaded at the same time', FILES))
    .addOption(
      countOption(
        '--parallel',
        'maximum of parts sent at the same time; the number adapts to the network',
        PARTS,
        PARTS,
      ),
    )
    .option('--bwlimit <limit>', 'limit in bytes per second, as for upload', parseTimetable)
    .option('--no-compress', 'never compress parts, as for upload')
    .option('--meta <key=value>', 'metadata of the files; repeatable', collectPair)
    .action(async (dir: string, _own: unknown, command: Command) => {
      const { watch } = await import('../commands/watch.ts');
      finish(await watch(dir, command.optsWithGlobals()));
    });
}
