/** The `cryolift` command: runs it, and ends with an exit code of `exit.ts`. */
import { CommanderError } from 'commander';
import { endWhenOutputFails, endWith } from './ending.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { createProgram } from './program.ts';

endWhenOutputFails(process.argv[2] === 'serve');
await endWith(await run(process.argv));

async function run(argv: string[]): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  const program = await createProgram(argv, (reached) => {
    code = reached;
  });
  try {
    await program.parseAsync(argv);
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const [{ Output }, { exitCodeOf }] = await Promise.all([import('./output.ts'), import('./failure.ts')]);
    new Output(argv.includes('--json')).failure(error);
    return exitCodeOf(error);
  }
}
