/** Accepts connections: on the fast path where it works, otherwise on the standard path. */
import { X509Certificate } from 'node:crypto';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Config } from '../config/config.ts';
import { SettingError } from '../config/setting-error.ts';
import { readTls } from '../config/tls.ts';
import { freeSocket, openToGroup } from '../config/unix-socket.ts';
import type { ConnectionLimiter } from '../http/connection/connection-limiter.ts';
import { FastPathServer } from '../http/connection/fast-path/server.ts';
import { worksHere, worksOverTls } from '../http/connection/fast-path/socket.ts';
import type { Listeners } from '../http/connection/listener.ts';
import type { Logger } from '../ops/log.ts';

type Address = { readonly host: string; readonly port: number } | { readonly path: string };

/** The part of Fastify that is used here. */
interface App {
  readonly server: Server;
  listen(at: Address): Promise<unknown>;
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
export async function listen(
  config: Config,
  app: App,
  listeners: Listeners,
  limiter: ConnectionLimiter,
  log: Logger,
): Promise<Listening> {
  const { host, port, socketPath, tls } = config;
  const fastPath = (await usesFastPath(config, log))
    ? new FastPathServer(app.server, limiter, (serve) => listeners.addSecure(serve))
    : null;
  if (socketPath !== null) await freeSocket(socketPath);
  const at = socketPath === null ? { host, port } : { path: socketPath };
  await (fastPath ?? app).listen(at).catch((error: NodeJS.ErrnoException) => {
    if (socketPath !== null) throw new SettingError(`CRYOLIFT_SOCKET: cannot listen on ${socketPath} (${error.code})`);
    throw new SettingError(`CRYOLIFT_PORT: cannot listen on ${host}:${port} (${error.code})`);
  });
  if (socketPath !== null) openToGroup(socketPath);
  const address = (fastPath ?? app.server).address() as AddressInfo | string;
  return {
    url:
      typeof address === 'string'
        ? `unix:${address}`
        : `${tls ? 'https' : 'http'}://${printHost(host)}:${address.port}`,
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

async function usesFastPath({ fastPath, tls }: Config, log: Logger): Promise<boolean> {
  if (!fastPath) return false;
  if (tls ? await worksOverTls(tls) : await worksHere()) return true;
  log.warn(`this version of Node (${process.version}) does not support the fast path; parts take the standard path`);
  return false;
}

/** IPv6 addresses stand in brackets in a URL. */
function printHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
