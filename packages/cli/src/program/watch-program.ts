/** `cryolift watch` and its subcommands, with their options. */
import { type Command, Option } from 'commander';
import { parseTimetable } from '../options/bandwidth.ts';
import { FILES, PARTS, SETTLE_BOUNDS, SETTLE_SECONDS } from '../options/defaults.ts';
import { collectPair, collectText, parseCount, secondsBetween } from '../options/quantity.ts';
import { UsageError } from '../process/exit.ts';
import { addCommand } from './add-command.ts';
import { countOption } from './count-option.ts';
import type { Finish } from './server-commands.ts';

/** Options that go with `--config`. The file has the others. */
const WITH_CONFIG = ['config', 'system', 'once', 'server', 'token', 'link', 'json'];

const LINES = 50;
const MAX_LINES = 1_000_000;

export function addWatch(program: Command, finish: Finish): void {
  const watch = addCommand(program, 'watch', 'upload the files of a folder when they stop changing')
    .argument('[dir]')
    .addOption(
      new Option('--settle <duration>', 'how long the size and times of a file must be unchanged before it is uploaded')
        .argParser(secondsBetween(...SETTLE_BOUNDS))
        .default(SETTLE_SECONDS, '60s'),
    )
    .option('--move-to <dir>', 'move files there, with their subfolders, after the server has confirmed their digest')
    .option('--delete', 'delete local files after the server has confirmed their digest')
    .option(
      '--after-receipt',
      'move or delete a file only when a signed receipt of its dataset names it; needs --dataset',
    )
    .option('--skip-known', 'hash each file first; what you have on the server already is copied there and not sent')
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
    .option('--dataset <name>', 'the dataset that the files belong to; it is made when there is none of this name')
    .option('--config <file>', 'instead of a folder: watch all folders of a settings file, see `cryolift config init`')
    .addOption(
      new Option('--system', 'with --config: keep the state where the service of the system has it').hideHelp(),
    )
    .action(async (dir: string | undefined, _own: unknown, command: Command) => {
      const flags = command.optsWithGlobals();
      if (flags.config === undefined) {
        if (dir === undefined) throw new UsageError('watch needs a folder, or --config FILE');
        const { watch } = await import('../commands/watch/watch.ts');
        return finish(await watch(dir, command.optsWithGlobals()));
      }
      const extra = givenBeside(command);
      if (dir !== undefined) throw new UsageError('give a folder or --config FILE, not both');
      if (extra !== undefined) throw new UsageError(`${extra} cannot be given with --config: write it into the file`);
      const { watchAll } = await import('../commands/watch/all.ts');
      finish(await watchAll(flags.config, command.optsWithGlobals()));
    });
  const add = (name: string, description: string) =>
    addCommand(watch, name, description, false)
      .configureHelp({
        showGlobalOptions: true,
        visibleGlobalOptions: () => program.createHelp().visibleOptions(program),
      })
      .option('--config <file>', 'the settings file; default: that of the installed service, or else the default file')
      .option('--user', 'the service of this user (default)')
      .option('--system', 'the service of the system');
  add('install', 'install the watch of a settings file as a service that starts with the machine or the login')
    .option('--run-as <user>', 'with --system on Linux: the user of the service; default: root')
    .option('--print', 'only show what would be written and run')
    .action(async (_own: unknown, command: Command) => {
      const { install } = await import('../commands/watch/service.ts');
      finish(await install(command.optsWithGlobals()));
    });
  add('uninstall', 'end and remove the service; settings, files and the record of uploads stay').action(
    async (_own: unknown, command: Command) => {
      const { uninstall } = await import('../commands/watch/service.ts');
      finish(await uninstall(command.optsWithGlobals()));
    },
  );
  add('status', 'show whether the watch of a settings file runs, and its folders; exit code 1: it does not run')
    .option('--live', 'a full-screen view in large letters, until q')
    .action(async (_own: unknown, command: Command) => {
      const { showWatchStatus } = await import('../commands/watch/status.ts');
      finish(await showWatchStatus(command.optsWithGlobals()));
    });
  add('logs', 'print the log of the watch of a settings file')
    .option('-f, --follow', 'print what is added, until Ctrl-C')
    .option('-n, --lines <n>', 'lines to begin with', (text: string) => parseCount(text, MAX_LINES), LINES)
    .action(async (_own: unknown, command: Command) => {
      const { showLogs } = await import('../commands/watch/logs.ts');
      finish(await showLogs(command.optsWithGlobals()));
    });
}

/** @returns the first option that was given although the settings file has it. */
function givenBeside(command: Command): string | undefined {
  return command.options.find(
    (option) =>
      command.getOptionValueSource(option.attributeName()) === 'cli' && !WITH_CONFIG.includes(option.attributeName()),
  )?.long;
}
