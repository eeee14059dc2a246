/** SIGHUP: a service manager sends it to reload, and the system when a terminal is closed. */
import { isatty } from 'node:tty';
import type { Logger } from './log.ts';

export interface Hangup {
  /** Resolves when the terminal that this process was started on is gone. */
  readonly terminalGone: Promise<void>;
  /** @param renewCertificate null without TLS. */
  onReload(renewCertificate: (() => void) | null): void;
}

/**
 * To be called before anything else can be waited for: without a handler, the signal ends the process. A process under
 * `nohup` has no terminal, and stays.
 */
export function handleHangup(log: Logger): Hangup {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  let renew: (() => void) | null = null;
  const { promise: terminalGone, resolve } = Promise.withResolvers<void>();
  process.on('SIGHUP', () => {
    // A terminal that was hung up is none any more: every call on it fails.
    if (terminals.some((fd) => !isatty(fd))) {
      log.warn('the terminal is gone: the server stops');
      resolve();
    } else if (renew) renew();
    else log.info('SIGHUP: there is no certificate to read again, and settings are read at the start only');
  });
  return {
    terminalGone,
    onReload(renewCertificate) {
      renew = renewCertificate;
    },
  };
}
