/** SIGHUP: a service manager sends it to reload, and the system when a terminal is closed. */
import { isatty } from 'node:tty';
import type { Logger } from './log.ts';

export interface Hangup {
  /** Resolves when the terminal of this process was closed. */
  readonly terminalGone: Promise<void>;
  /** @param renewCertificate null without TLS. */
  onReload(renewCertificate: (() => void) | null): void;
}

/**
 * To be called before the first await: without a handler, the signal ends the process. A process under
 * `nohup` has no terminal, and stays.
 */
export function handleHangup(log: Logger): Hangup {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  let renew: (() => void) | null = null;
  const { promise: terminalGone, resolve } = Promise.withResolvers<void>();
  process.on('SIGHUP', () => {
    // Every call on a closed terminal fails.
    if (terminals.some((fd) => !isatty(fd))) {
      log.warn('the terminal was closed: the server stops');
      resolve();
    } else if (renew) renew();
    else log.info('SIGHUP ignored: there is no certificate to reload, and settings are read only at the start');
  });
  return {
    terminalGone,
    onReload(renewCertificate) {
      renew = renewCertificate;
    },
  };
}
