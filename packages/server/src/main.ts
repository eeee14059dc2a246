/** `cryolift serve`: settings, signals and exit codes. */
import { flushCompileCache } from 'node:module';
import { SCOPES } from '@cryolift/protocol/scopes';
import { SignJWT } from 'jose';
import { readConfig } from './config/config.ts';
import { SettingError } from './config/setting-error.ts';
import { type Hangup, handleHangup } from './ops/hangup.ts';
import { createLogger } from './ops/log.ts';
import { LogStream } from './ops/log-stream.ts';
import { forTerminal } from './ops/terminal-log.ts';
import { type RunningServer, startServer } from './server.ts';

/** How long running requests may take after a stop was requested. */
const GRACE_MS = 30_000;
/** A repeated signal within this time counts as the same one. */
const REPEAT_MS = 2_000;
/** How long the last lines of the log may take. */
const LOG_MS = 1_000;
/** Lifetime of the token in the printed link. */
const LINK_TTL = '12h';
/** Where none is set. */
const LEVEL = 'info';
/** A line for each request would hide the lines of the start. */
const TERMINAL_LEVEL = 'warn';

/**
 * Runs the server until SIGTERM or SIGINT, or until the terminal that it was started on is closed; a second signal ends
 * it at once. With TLS, SIGHUP reads the certificate again.
 *
 * @param flags by name without dashes; they win over `env`.
 * @returns the exit code: 0 after a requested stop, 1 when it could not start.
 */
export async function serve(
  env: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, string | undefined>>,
): Promise<0 | 1> {
  // All files are private to the user of the server, also those of SQLite.
  process.umask(0o077);
  // The server continues when the reader of its output has closed the pipe, or the disk of the output is full.
  process.stderr.on('error', () => {});
  const logStream = new LogStream();
  let server: RunningServer;
  let stopAsked: Promise<void>;
  let hangup: Hangup;
  try {
    const config = readConfig(env, flags);
    const isOnTerminal = process.stderr.isTTY === true;
    const level = config.logLevel ?? (isOnTerminal ? TERMINAL_LEVEL : LEVEL);
    const log = createLogger(level, isOnTerminal ? forTerminal(logStream) : logStream);
    process.stdout.on('error', (error) => log.warn({ err: error }, 'standard output cannot be written'));
    hangup = handleHangup(log);
    server = await startServer(config, log, { lostLogLines: () => logStream.lostLines });
    hangup.onReload(server.renewCertificate);
    // Before the message, because its reader may stop the server at once.
    stopAsked = nextSignal();
    process.stdout.write(`cryolift listening on ${server.url}\n`);
    const openAt = config.socketPath === null ? server.url : config.publicUrl;
    if (server.ownSecret !== null && openAt !== null) {
      process.stdout.write(`open ${openAt}/#token=${await signLinkToken(server.ownSecret)}\n`);
    }
    // Flushed now, because a killed process loses it.
    flushCompileCache();
  } catch (error) {
    if (!(error instanceof SettingError)) throw error;
    process.stderr.write(`cryolift: ${error.message}\n`);
    return 1;
  }
  await Promise.race([stopAsked, hangup.terminalGone]);
  // Ctrl-C under npm arrives twice; only a later signal ends the graceful stop.
  setTimeout(() => nextSignal().then(() => process.exit(1)), REPEAT_MS).unref();
  await server.stop(GRACE_MS);
  await logStream.close(LOG_MS);
  return 0;
}

/** The handlers stay: without one, Node would end at the next signal. */
function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.on('SIGTERM', () => resolve()).on('SIGINT', () => resolve());
  });
}

/** A token for the user of this machine. */
async function signLinkToken(secret: string): Promise<string> {
  return await new SignJWT({ scope: SCOPES.join(' ') })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('local')
    .setIssuedAt()
    .setExpirationTime(LINK_TTL)
    .sign(new TextEncoder().encode(secret));
}
