/** Every command and what it takes. What a command runs is loaded only when it is called, so that all begin at once. */
import type { MrcKind, Signedness } from '@cryolift/mrc';
import { Argument, Command, Option } from 'commander';
import manifest from '../../package.json' with { type: 'json' };
import { SHELLS, type Shell } from '../completion/shells.ts';
import { parseTimetable } from '../options/bandwidth.ts';
import { between, collectPair, collectText, parseCount, parseSeq, secondsBetween } from '../options/quantity.ts';
import { UsageError } from '../process/exit.ts';
import { addCommand } from './add-command.ts';
import { addLink } from './link-program.ts';
import type { Finish, ServerCommands } from './server-commands.ts';

const MAX_PARALLEL = 16;
const RANGES = 4;
const FILES = 4;
const SETTLE_SECONDS = 60;
/** As the package that reads MRC files has them; it is not loaded for each command. */
const KINDS = ['image', 'stack', 'volume', 'volume_stack'] as const satisfies readonly MrcKind[];
const SIGNEDNESSES = ['signed', 'unsigned'] as const satisfies readonly Signedness[];
const CREDENTIALS = `
Every user of a machine can read the arguments of its commands. Give tokens and links in a file (--token @FILE, --link @FILE),
on standard input (--token -), or in the environment: CRYOLIFT_TOKEN, CRYOLIFT_LINK, which take @FILE, too.`;
const SIZE = between('size', '1b', '8191TiB');
const PART_SIZE = between('size', '64KiB', '5GiB');

/** @param server the commands of the server, where its package is installed. @param finish receives the exit code. */
export async function createProgram(
  argv: readonly string[],
  server: ServerCommands | null,
  finish: Finish,
): Promise<Command> {
  const program = new Command('cryolift')
    .description('Uploads of large cryo-EM files: whole, resumable, provably intact.')
    .version(manifest.version)
    .option('--server <url>', 'the server (CRYOLIFT_SERVER; http://127.0.0.1:8080)')
    .option(
      '--token <token>',
      "a token of it: @FILE, - (standard input) or itself; on the server's machine one is made",
    )
    .option('--link <url>', 'an upload link, in the place of server and token: @FILE, - (standard input) or itself')
    .option('--json', 'print lines of JSON')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', CREDENTIALS)
    .showHelpAfterError('(cryolift --help says more)');

  const add = (name: string, description: string) => addCommand(program, name, description);
  const count = (flags: string, what: string, usual: number) =>
    new Option(`${flags} <n>`, `${what}, 1 to ${MAX_PARALLEL}`)
      .argParser((text) => parseCount(text, MAX_PARALLEL))
      .default(usual);

  await server?.addServe(program, argv, finish);
  add('upload', 'upload files, or the files in folders; run again, it resumes')
    .argument('<path...>')
    .option('-r, --recursive', 'folders in folders, too; the tree is kept in the metadata, as `path`')
    .option(
      '--include <glob>',
      "only such files: '*.mrc' anywhere, 'grid1/**/*.mrc' from the folder on; repeatable",
      collectText,
    )
    .option('--exclude <glob>', 'no such files and folders; repeatable', collectText)
    .addOption(count('--files', 'files at the same time', FILES))
    .addOption(count('--parallel', 'parts in flight at most; how many there are follows the path', MAX_PARALLEL))
    .option(
      '--bwlimit <limit>',
      'bytes per second: 20MiB, or by the time of day: "08:00,20MiB 19:00,off"',
      parseTimetable,
    )
    .option('--part-size <size>', 'part size to ask for, 64KiB to 5GiB', PART_SIZE)
    .option('--checksums <file>', 'list the SHA-256 of every file that is there then, for `sha256sum -c` in the folder')
    .option('--meta <key=value>', 'metadata of the files; repeatable', collectPair)
    .addOption(
      new Option('--kind <kind>', 'what MRC files hold, whatever their headers say: `--meta kind=…`').choices(KINDS),
    )
    .option('--sha256', 'hash each file first and declare its SHA-256: nothing else can be published')
    .option('--force', 'store MRC files although their headers are wrong')
    .option('--restart', 'cancel what is left of earlier uploads of these files and send all of them anew')
    .action(async (paths: string[], _own: unknown, command: Command) => {
      const { upload } = await import('../commands/upload.ts');
      finish(await upload(paths, command.optsWithGlobals()));
    });
  add('watch', 'upload what lands in a folder, once it has stopped growing')
    .argument('<dir>')
    .addOption(
      new Option('--settle <duration>', 'how long size and times of a file must have stayed the same')
        .argParser(secondsBetween('1s', '7d'))
        .default(SETTLE_SECONDS, '60s'),
    )
    .option('--move-to <dir>', 'move files there, with their tree, once the server has proven to have them')
    .option('--delete', 'delete files here once the server has proven to have them')
    .option('--once', 'end when everything that lies there has settled and gone up')
    .option('--include <glob>', "only such files: '*.mrc' anywhere, 'grid1/**/*.mrc' from the folder on", collectText)
    .option('--exclude <glob>', 'no such files and folders; repeatable', collectText)
    .addOption(count('--files', 'files at the same time', FILES))
    .addOption(count('--parallel', 'parts in flight at most; how many there are follows the path', MAX_PARALLEL))
    .option('--bwlimit <limit>', 'bytes per second, as for upload', parseTimetable)
    .option('--meta <key=value>', 'metadata of the files; repeatable', collectPair)
    .action(async (dir: string, _own: unknown, command: Command) => {
      const { watch } = await import('../commands/watch.ts');
      finish(await watch(dir, command.optsWithGlobals()));
    });
  add('ls', 'your files, and your uploads that are not finished').action(async (_own: unknown, command: Command) => {
    const { list } = await import('../commands/list.ts');
    finish(await list(command.optsWithGlobals()));
  });
  add('status', 'an upload: state, progress, what is missing')
    .argument('<upload_id>')
    .action(async (id: string, _own: unknown, command: Command) => {
      const { showStatus } = await import('../commands/status.ts');
      finish(await showStatus(id, command.optsWithGlobals()));
    });
  add('events', 'what happens to your uploads and files, as it happens')
    .argument('[upload_id]', 'of this upload alone, until it has ended')
    .option(
      '--after <number>',
      'begin with what was kept after the event of this number; 0: with all that is kept',
      parseSeq,
    )
    .action(async (id: string | undefined, _own: unknown, command: Command) => {
      const { followEvents } = await import('../commands/events.ts');
      finish(await followEvents(id, command.optsWithGlobals()));
    });
  add('cancel', 'end an upload and free its space')
    .argument('<upload_id>')
    .action(async (id: string, _own: unknown, command: Command) => {
      const { cancel } = await import('../commands/removal.ts');
      finish(await cancel(id, command.optsWithGlobals()));
    });
  add('rm', 'delete a file from the server, for good')
    .argument('<file_id>')
    .action(async (id: string, _own: unknown, command: Command) => {
      const { remove } = await import('../commands/removal.ts');
      finish(await remove(id, command.optsWithGlobals()));
    });
  add('download', 'get a file back: parallel, resumable, verified')
    .argument('<file_id>')
    .option('-o, --output <path>', 'where to put it: a folder, a name, or - for standard output (its own name, here)')
    .addOption(count('--parallel', 'ranges in flight', RANGES))
    .option('-f, --force', 'replace a file that is there')
    .action(async (id: string, _own: unknown, command: Command) => {
      const { fetchFile } = await import('../commands/download.ts');
      finish(await fetchFile(id, command.optsWithGlobals()));
    });
  add('verify', "compare a local file with the server's digest of a file")
    .argument('<path>')
    .argument('<file_id>')
    .action(async (path: string, id: string, _own: unknown, command: Command) => {
      const { verify } = await import('../commands/verify.ts');
      finish(await verify(path, id, command.optsWithGlobals()));
    });
  add('inspect', 'what a local MRC file says of itself, what is in it, and what is wrong with it; needs no server')
    .argument('<path>')
    .option('--header', 'the header only: no voxel is read')
    .addOption(new Option('--kind <kind>', 'what the sections are, whatever the header says').choices(KINDS))
    .addOption(new Option('--mode0 <how>', 'how the bytes of mode 0 are read').choices(SIGNEDNESSES))
    .addOption(
      new Option('--png [dir]', 'also write the pictures that suit such a file, there or here').conflicts('header'),
    )
    .action(async (path: string, _own: unknown, command: Command) => {
      const { inspect } = await import('../commands/inspect.ts');
      finish(await inspect(path, command.optsWithGlobals()));
    });
  add('doctor', 'look for what is wrong here, on the way and at the server, and say what to mend')
    .option('--room <size>', 'fail when the server has no room for a file like this, 500GiB say', SIZE)
    .option(
      '--slow <duration>',
      'also send a part for so long, 90s say, to find what cuts long requests',
      secondsBetween('1s', '1d'),
    )
    .action(async (_own: unknown, command: Command) => {
      const { examine } = await import('../commands/doctor.ts');
      finish(await examine(command.optsWithGlobals()));
    });
  server?.addToken(program, finish);
  addLink(program, finish);
  server?.addAudit(program, finish);
  server?.addAdmin(program, finish);
  add('completion', 'print a script that completes commands and options: source <(cryolift completion bash)')
    .addArgument(new Argument('<shell>').choices(SHELLS))
    .action(async (shell: Shell) => {
      const { printCompletion } = await import('../commands/completion.ts');
      finish(printCompletion(program, shell));
    });
  nameOptions(program);
  return program;
}

/** A value that cannot be read is told with the name of its option. */
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
