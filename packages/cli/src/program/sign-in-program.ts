/** `cryolift login`, `whoami` and `logout`, with their options. */
import type { Command } from 'commander';
import { addCommand } from './add-command.ts';
import type { Finish } from './server-commands.ts';

export function addSignIn(program: Command, finish: Finish): void {
  addCommand(program, 'login', 'sign in at the identity provider of the server; later commands use that', false)
    .option('--device', 'print a code to enter on another device: the default over SSH and without a display')
    .option('--no-keyring', 'keep the tokens in a file, not in the keyring: for services that run without you')
    .action(async (_own: unknown, command: Command) => {
      const { login } = await import('../sign-in/login.ts');
      finish(await login(command.optsWithGlobals()));
    });
  addCommand(program, 'whoami', 'show who you are for the server, what you may do, and until when').action(
    async (_own: unknown, command: Command) => {
      const { whoami } = await import('../sign-in/whoami.ts');
      finish(await whoami(command.optsWithGlobals()));
    },
  );
  addCommand(program, 'logout', 'end the sign-in here and at the identity provider', false).action(
    async (_own: unknown, command: Command) => {
      const { logout } = await import('../sign-in/logout.ts');
      finish(await logout(command.optsWithGlobals()));
    },
  );
}
