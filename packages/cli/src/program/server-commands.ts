/** The commands that come with the package of the server. An installation without it has the client's commands only. */
import type { Command } from 'commander';
import type { ExitCode } from '../process/exit.ts';

/** Receives the exit code of the command that ran. */
export type Finish = (code: ExitCode) => void;

/** Each function adds one command to the program. The help lists commands in the order in which they were added. */
export interface ServerCommands {
  /** @param argv arguments of the process. Settings are loaded only when these need them. */
  addServe(program: Command, argv: readonly string[], finish: Finish): Promise<void>;
  addToken(program: Command, finish: Finish): void;
  addAudit(program: Command, finish: Finish): void;
  addAdmin(program: Command, finish: Finish): void;
  addMigrate(program: Command, finish: Finish): void;
}
