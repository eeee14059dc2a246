/** `cryolift completion SHELL`: a script that completes commands, options and paths in that shell. */
import type { Command } from 'commander';
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { shapeOf } from '../completion/shape.ts';
import type { Shell } from '../completion/shells.ts';
import { zshScript } from '../completion/zsh.ts';
import { EXIT, type ExitCode } from '../process/exit.ts';

const WRITERS = { bash: bashScript, zsh: zshScript, fish: fishScript };

export function printCompletion(program: Command, shell: Shell): ExitCode {
  process.stdout.write(WRITERS[shell](shapeOf(program)));
  return EXIT.done;
}
