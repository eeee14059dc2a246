/**
 * All commands of the client with their options. The code of a command is loaded when it runs, so that the start is
 * fast.
 */
import type { Contrast, Signedness, SpectrumRange } from '@cryolift/mrc';
import { MRC_KINDS } from '@cryolift/protocol/mrc-kinds';
import { Argument, Command, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { SHELLS, type Shell } from '../completion/shells.ts';
import { parseTimetable } from '../options/bandwidth.ts';
import { FILES, PARTS } from '../options/defaults.ts';
import { between, collectPair, collectText, parseCount, parseSeq, secondsBetween } from '../options/quantity.ts';
import { UsageError } from '../process/exit.ts';
import { addCommand } from './add-command.ts';
import { addConfig } from './config-program.ts';
import { countOption } from './count-option.ts';
import { addDataset } from './dataset-program.ts';
import { addExport } from './export-program.ts';
import { addFiles } from './files-program.ts';
import { addLink } from './link-program.ts';
import { addPush } from './push-program.ts';
import type { Finish, ServerCommands } from './server-commands.ts';
import { addSignIn } from './sign-in-program.ts';
import { addSpeedtest } from './speed-program.ts';
import { addWatch } from './watch-program.ts';

/** The values of `@cryolift/mrc`, which is not loaded for every command. */
const SIGNEDNESSES = ['signed', 'unsigned'] as const satisfies readonly Signedness[];
const CONTRASTS = ['sigma', 'percentile', 'cell'] as const satisfies readonly Contrast[];
const RANGES_OF_SPECTRA = ['thon', 'full'] as const satisfies readonly SpectrumRange[];
/** As the server has them. */
const MOST_SLAB = 200;
const MOST_LOW_PASS = 1000;
const PICTURE_PX = { least: 64, most: 4096 };
const CREDENTIALS = `
Every user of a machine can read the arguments of its commands. Give tokens and links in a
file (--token @FILE, --link @FILE), on standard input (--token -), or in the environment:
CRYOLIFT_TOKEN, CRYOLIFT_LINK, which also accept @FILE.`;
const SIZE = between('size', '1b', '8191TiB');
const PART_SIZE = between('size', '64KiB', '5GiB');

/** @param server the commands of the server, where its package is installed. @param finish receives the exit code. */
export async function createProgram(
  argv: readonly string[],
  server: ServerCommands | null,
  finish: Finish,
): Promise<Command> {
  const program = new Command('cryolift')
    .description('Upload large cryo-EM files: resumable, verified end to end.')
    .version(manifest.version)
    .option('--server <url>', 'the server (CRYOLIFT_SERVER; http://127.0.0.1:8080)')
    .option(
      '--token <token>',
      'a token of the server: the token, @FILE or - (standard input); on the machine of the server the default is a new token',
    )
    .option('--link <url>', 'an upload link, instead of server and token: the link, @FILE or - (standard input)')
    .option('--json', 'print one JSON object per line')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', CREDENTIALS)
    .showHelpAfterError('(see cryolift --help)');

  const add = (name: string, description: string) => addCommand(program, name, description);

  await server?.addServe(program, argv, finish);
  add('upload', 'upload files, or the files in folders; a second run resumes')
    .argument('<path...>')
    .option('-r, --recursive', 'include subfolders')
    .option('--no-root', 'leave the name of the given folder out of the paths of its files on the server')
    .option('--prefix <path>', 'folders on the server in front of these paths')
    .option(
      '--include <glob>',
      "only these files: '*.mrc' in any folder, 'grid1/**/*.mrc' from the given folder; repeatable",
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
    .option(
      '--bwlimit <limit>',
      'limit in bytes per second: 20MiB, or by time of day: "08:00,20MiB 19:00,off"',
      parseTimetable,
    )
    .option('--no-compress', 'never compress parts; otherwise they are when they shrink and the network is slower')
    .option('--part-size <size>', 'part size to request, 64KiB to 5GiB', PART_SIZE)
    .option('--checksums <file>', 'write the SHA-256 of every uploaded file, for `sha256sum -c` in the folder')
    .option('--meta <key=value>', 'metadata of the files; repeatable', collectPair)
    .addOption(
      new Option(
        '--kind <kind>',
        'what the MRC files contain; replaces the kind in their headers: `--meta kind=…`',
      ).choices(MRC_KINDS),
    )
    .option('--dataset <name>', 'the dataset that the files belong to; it is made when there is none of this name')
    .option('--sha256', 'hash each file first and declare its SHA-256; the server refuses other content')
    .option('--skip-known', 'hash each file first; what you have on the server already is copied there and not sent')
    .option('--force', 'upload MRC files even if their headers are invalid')
    .option('--restart', 'cancel unfinished uploads of these files and start again')
    .action(async (paths: string[], _own: unknown, command: Command) => {
      const { upload } = await import('../commands/upload.ts');
      finish(await upload(paths, command.optsWithGlobals()));
    });
  addWatch(program, finish);
  add('status', 'show the state, progress and missing parts of an upload')
    .argument('<upload_id>')
    .action(async (id: string, _own: unknown, command: Command) => {
      const { showStatus } = await import('../commands/status.ts');
      finish(await showStatus(id, command.optsWithGlobals()));
    });
  add('events', 'follow the events of your uploads and files')
    .argument('[upload_id]', 'only the events of this upload, until it ends')
    .option('--after <number>', 'start after the event with this number; 0: the oldest stored event', parseSeq)
    .action(async (id: string | undefined, _own: unknown, command: Command) => {
      const { followEvents } = await import('../commands/events.ts');
      finish(await followEvents(id, command.optsWithGlobals()));
    });
  add('cancel', 'cancel an upload and free its space')
    .argument('<upload_id>')
    .action(async (id: string, _own: unknown, command: Command) => {
      const { cancel } = await import('../commands/removal.ts');
      finish(await cancel(id, command.optsWithGlobals()));
    });
  addFiles(program, finish);
  add('inspect', 'show the header, statistics and errors of a local MRC file; needs no server')
    .argument('<path>')
    .argument('[other]', 'the file to compare with, for --diff')
    .option('--header', 'only the header, with all its words as they stand; read no voxels')
    .option('--diff', 'compare the headers and the voxels of two files; 1: they differ')
    .addOption(new Option('--kind <kind>', 'what the sections are; replaces the kind in the header').choices(MRC_KINDS))
    .addOption(new Option('--mode0 <how>', 'how to read the bytes of mode 0').choices(SIGNEDNESSES))
    .addOption(
      new Option(
        '--png [dir]',
        'also write previews for this kind of file, into the given or the current folder',
      ).conflicts(['header', 'diff']),
    )
    .addOption(
      new Option(
        '--size <n>',
        `pixels of the long side of pictures, ${PICTURE_PX.least} to ${PICTURE_PX.most}; 1024`,
      ).argParser((text) => parseCount(text, PICTURE_PX.most, PICTURE_PX.least)),
    )
    .addOption(
      new Option('--contrast <how>', 'black and white: mean ± 3 σ, percentiles, or each image of a montage').choices(
        CONTRASTS,
      ),
    )
    .addOption(
      new Option('--range <range>', 'spectra up to 2.8 Å, for Thon rings, or all frequencies, for ice').choices(
        RANGES_OF_SPECTRA,
      ),
    )
    .addOption(
      new Option('--slab <n>', `pictures of a volume: the mean of so many sections, 1 to ${MOST_SLAB}; 1`).argParser(
        (text) => parseCount(text, MOST_SLAB),
      ),
    )
    .addOption(
      new Option('--lowpass <angstroms>', 'a low-pass that halves the amplitude at this resolution').argParser((text) =>
        parseCount(text, MOST_LOW_PASS),
      ),
    )
    .action(async (path: string, other: string | undefined, _own: unknown, command: Command) => {
      const { inspect } = await import('../commands/inspect.ts');
      finish(await inspect(path, other, command.optsWithGlobals()));
    });
  add('doctor', 'check this machine, the network and the server, and say how to fix problems')
    .option('--room <size>', 'fail when the server has no space for a file of this size, such as 500GiB', SIZE)
    .option(
      '--slow <duration>',
      'also send a part slowly for this long, such as 90s, to find proxies that end long requests',
      secondsBetween('1s', '1d'),
    )
    .action(async (_own: unknown, command: Command) => {
      const { examine } = await import('../commands/doctor.ts');
      finish(await examine(command.optsWithGlobals()));
    });
  addSpeedtest(program, finish);
  addSignIn(program, finish);
  server?.addToken(program, finish);
  addLink(program, finish);
  addDataset(program, finish);
  addExport(program, finish);
  addPush(program, finish);
  addConfig(program, finish);
  server?.addAudit(program, finish);
  server?.addAdmin(program, finish);
  server?.addMigrate(program, finish);
  add('completion', 'print a script that completes commands and options: source <(cryolift completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(async (shell: Shell) => {
      const { printCompletion } = await import('../commands/completion.ts');
      finish(printCompletion(program, shell));
    });
  nameOptions(program);
  return program;
}

/** The error for an invalid value starts with the name of the option. */
function nameOptions(command: Command): void {
  for (const option of command.options) {
    const { parseArg, long } = option;
    if (!parseArg) continue;
    option.argParser((text: string, before: unknown) => {
      try {
        return parseArg(text, before);
      } catch (error) {
        throw error instanceof UsageError ? new UsageError(`${long}: ${error.message}`) : error;
      }
    });
  }
  for (const each of command.commands) nameOptions(each);
}
