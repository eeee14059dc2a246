/** Entry of the one-file programs that `npm run dist` makes: the commands of the client, without those of the server. */
import { runCommandLine } from './main.ts';

await runCommandLine(process.argv, null);
