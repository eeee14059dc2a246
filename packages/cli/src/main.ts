/** The `cryolift` command: arguments, and exit codes of CONTRACT section 7. */
import { Command, CommanderError } from 'commander';
import manifest from '../package.json' with { type: 'json' };
import { addDownload } from './commands/download.ts';
import { addInspect } from './commands/inspect.ts';
import { addServe } from './commands/serve.ts';
import { addSessions } from './commands/sessions.ts';
import { addToken } from './commands/token.ts';
import { addUpload } from './commands/upload.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit.ts';
import { Output } from './output.ts';

process.exit(await run(process.argv));

async function run(argv: string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  const finish = (reached: ExitCode) => {
    code = reached;
  };
  const program = new Command('cryolift')
    .description('Uploads of large cryo-EM files: whole, resumable, provably intact.')
    .version(manifest.version)
    .option('--server <url>', 'the server (CRYOLIFT_SERVER; http://127.0.0.1:8080)')
    .option('--token <token>', "a token of it (CRYOLIFT_TOKEN; on the server's machine its own)")
    .option('--json', 'print lines of JSON')
    .exitOverride()
    .showHelpAfterError('(cryolift --help says more)');
  await addServe(program);
  addUpload(program, finish);
  addSessions(program);
  addDownload(program, finish);
  addInspect(program, finish);
  addToken(program);
  for (const command of program.commands) {
    command.exitOverride();
    // Given before or after the command's name, as people do.
    if (command.name() === 'serve') continue;
    command.option('--server <url>').option('--token <token>').option('--json');
  }
  try {
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    new Output(argv.includes('--json')).failure(error);
    return exitCodeOf(error);
  }
}
