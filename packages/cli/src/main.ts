/** The `cryolift` command: runs it, and ends with an exit code of CONTRACT section 7. */
import { CommanderError } from 'commander';
import { EXIT, type ExitCode } from './exit.ts';
import { createProgram } from './program.ts';

// Whoever read this has seen enough: of `cryolift ls | head` it is the end, but a server goes on.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  if (process.argv[2] !== 'serve') process.exit(EXIT.done);
});
process.exit(await run(process.argv));

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
