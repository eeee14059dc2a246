/** Accepts connections: on the fast path where it works, otherwise on the standard path. */
import { X509Certificate } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config/config.ts';
import { SettingError } from '../config/setting-error.ts';
import { readTls } from '../config/tls.ts';
import type { ConnectionLimiter } from '../http/connection/connection-limiter.ts';
import { FastPathServer } from '../http/connection/fast-path/server.ts';
import { worksHere } from '../http/connection/fast-path/socket.ts';
import type { Listeners } from '../http/connection/listener.ts';
import type { Logger } from '../ops/log.ts';

/** The part of Fastify that is used here. */
interface App {
  readonly server: Server;
  listen(at: { host: string; port: number }): Promise<unknown>;
  close(): Promise<unknown>;
}

export interface Listening {
  readonly url: string;
  /** Accepts no new connections; resolves when the open ones have ended. */
  close(): Promise<unknown>;
  /** Closes the open connections. */
  cut(): void;
}

/** @throws SettingError when the address is not available. */
export async function listen(config: Config, app: App, limiter: ConnectionLimiter, log: Logger): Promise<Listening> {
  const { host, port } = config;
  const fastPath = (await usesFastPath(config, log)) ? new FastPathServer(app.server, limiter) : null;
  await (fastPath ?? app).listen({ host, port }).catch((error: NodeJS.ErrnoException) => {
    throw new SettingError(`CRYOLIFT_PORT: cannot listen on ${host}:${port} (${error.code})`);
  });
  const address = (fastPath ?? app.server).address() as AddressInfo;
  return {
    url: `${config.tls ? 'https' : 'http'}://${printHost(host)}:${address.port}`,
    async close() {
      await fastPath?.close();
      await app.close();
    },
    cut: () => (fastPath ?? app.server).closeAllConnections(),
  };
}

/** @returns a function that reads the certificate again, for new connections; an invalid one is logged and not used. */
export function certificateRenewal(tls: NonNullable<Config['tls']>, listeners: Listeners, log: Logger): () => void {
  return () => {
    try {
      const renewed = readTls(tls);
      listeners.renew(renewed);
      log.info({ valid_to: new X509Certificate(renewed.cert).validToDate.toISOString() }, 'certificate renewed');
    } catch (error) {
      log.error(`the certificate was not renewed, the old one is still used: ${(error as Error).message}`);
    }
  };
}

/** TLS uses the standard path, because the socket has encrypted bytes. */
async function usesFastPath(config: Config, log: Logger): Promise<boolean> {
  if (!config.fastPath || config.tls) return false;
  if (await worksHere()) return true;
  log.warn(`this version of Node (${process.version}) does not support the fast path; parts take the standard path`);
  return false;
}

/** IPv6 addresses stand in brackets in a URL. */
function printHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
