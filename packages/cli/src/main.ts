/** The `cryolift` command: runs it and ends the process with one of the exit codes of `exit.ts`. */
import { CommanderError } from 'commander';
import { EXIT, type ExitCode } from './process/exit.ts';
import { endWhenOutputFails, endWith } from './process/finish.ts';
import { createProgram } from './program/program.ts';
import type { ServerCommands } from './program/server-commands.ts';

/** @param server the commands of the server; null where its package is not installed. */
export async function runCommandLine(argv: string[], server: ServerCommands | null): Promise<never> {
  endWhenOutputFails(argv[2] === 'serve');
  return await endWith(await run(argv, server));
}

async function run(argv: string[], server: ServerCommands | null): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  const program = await createProgram(argv, server, (reached) => {
    code = reached;
  });
  try {
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const [{ Output }, { exitCodeOf }] = await Promise.all([
      import('./output/output.ts'),
      import('./process/failure.ts'),
    ]);
    new Output(argv.includes('--json')).failure(error);
    return exitCodeOf(error);
  }
}
