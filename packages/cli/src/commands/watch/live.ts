/** `cryolift watch status --live`: a view that can be read from a distance. */
import { paintTerminal } from '../../live/paint.ts';
import { render, type View } from '../../live/render.ts';
import { showScreen } from '../../live/screen.ts';
import { type ExitCode, UsageError } from '../../process/exit.ts';
import type { FoundWatch } from '../../service/find-watch.ts';
import { readLastLines } from '../../state/log-file.ts';
import { isSilent, readState } from '../../state/watch-state.ts';

/** @throws UsageError without a terminal. */
export async function showLive(found: FoundWatch): Promise<ExitCode> {
  if (!process.stdout.isTTY) throw new UsageError('--live needs a terminal');
  return await showScreen((size) => render(look(found), size, paintTerminal));
}

function look({ config, places }: FoundWatch): View {
  const { kind, report } = readState(places);
  const nowMs = Date.now();
  const process = kind === 'running' && report && isSilent(report, nowMs) ? 'silent' : kind;
  const [lastLine = null] = process === 'running' ? [] : readLastLines(places.log, 1);
  return { config, process, report, lastLine, nowMs };
}
