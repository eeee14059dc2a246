/** A full-screen view on the terminal, until q or Ctrl-C. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT, type ExitCode } from '../process/exit.ts';
import { interruptible } from '../process/interrupt.ts';
import type { Size } from './render.ts';

const EVERY_MS = 1000;
/** The alternate screen, without cursor, and without continuing long lines on the next one. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J';
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l';
const CTRL_C = '\x03';

/** @param draw returns the lines of the whole screen. @returns after q; `interrupted` after Ctrl-C or SIGTERM. */
export async function showScreen(draw: (size: Size) => readonly string[]): Promise<ExitCode> {
  const { stdin, stdout } = process;
  const interrupted = interruptible();
  const quit = new AbortController();
  let code: ExitCode = EXIT.done;
  let redraw = new AbortController();
  const onKey = (keys: Buffer) => {
    if (keys.includes(CTRL_C)) code = EXIT.interrupted;
    if (/[qQ]/.test(keys.toString()) || code !== EXIT.done) quit.abort();
  };
  const onResize = () => {
    stdout.write('\x1b[2J');
    redraw.abort();
  };
  const leave = () => {
    if (stdin.isTTY) stdin.setRawMode(false);
    stdout.write(LEAVE);
  };
  process.once('exit', leave);
  stdout.write(ENTER);
  stdout.on('resize', onResize);
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on('data', onKey);
  try {
    const ended = AbortSignal.any([interrupted, quit.signal]);
    while (!ended.aborted) {
      const { columns = 80, rows = 24 } = stdout;
      const lines = draw({ columns, rows });
      stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`);
      redraw = new AbortController();
      await sleep(EVERY_MS, undefined, { signal: AbortSignal.any([ended, redraw.signal]) }).catch(() => {});
    }
    return interrupted.aborted ? EXIT.interrupted : code;
  } finally {
    stdin.off('data', onKey).pause();
    stdout.off('resize', onResize);
    process.off('exit', leave);
    leave();
  }
}
