/** `cryolift watch logs`: the log of the watch of a settings file. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Output } from '../../output/output.ts';
import { EXIT, type ExitCode, Refusal } from '../../process/exit.ts';
import { interruptible } from '../../process/interrupt.ts';
import { findWatch, type WatchChoice } from '../../service/find-watch.ts';
import { LogFollower, readLastLines } from '../../state/log-file.ts';

const POLL_MS = 250;

export interface LogsFlags extends WatchChoice {
  json?: boolean;
  follow?: boolean;
  lines: number;
}

export async function showLogs(flags: LogsFlags): Promise<ExitCode> {
  const output = new Output(flags.json);
  const { config, places } = await findWatch(flags);
  const follower = new LogFollower(places.log);
  const lines = readLastLines(places.log, flags.lines);
  if (lines.length === 0 && !flags.follow) {
    throw new Refusal(
      'no_log',
      `there is no log of a watch of ${config}`,
      '`cryolift watch status` says whether it runs.',
    );
  }
  const print = (line: string) => output.result({ line }, () => line);
  for (const line of lines) print(line);
  if (!flags.follow) return EXIT.done;
  const signal = interruptible();
  while (!signal.aborted) {
    for (const line of follower.next()) print(line);
    await output.drained();
    await sleep(POLL_MS, undefined, { signal }).catch(() => {});
  }
  return EXIT.interrupted;
}
