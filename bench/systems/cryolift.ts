/** This project: on the fast path or the standard path, with TLS or without, with all digests or with those of parts only. */
import { join } from 'node:path';
import type { UploadRecord } from '@cryolift/protocol/messages';
import { makeCertificate } from '../../suites/certificate.ts';
import type { Engine } from '../../suites/proxies/engine.ts';
import { CryoliftClient, startServer } from '../cryolift.ts';
import { type Endpoint, putBehind } from './proxy.ts';
import type { System } from './system.ts';

const WHOLE = 'SHA-256 of every part and of the whole file, durable records';
const PARTS = 'SHA-256 of every part, not of the whole; durable records';
const STANDARD = { CRYOLIFT_FAST_LANE: 'false' };

interface Running extends Endpoint {
  readonly token: string;
}

/** @param start below `folder`. */
function cryolift(
  what: Pick<System, 'name' | 'what' | 'kind'>,
  wholeDigest: boolean,
  start: (folder: string) => Promise<Running>,
): System {
  const secure = what.kind === 'tls' ? '-tls' : '';
  return {
    ...what,
    floor: `floor${secure}${wholeDigest ? '-both' : ''}`,
    async start(folder, { files, fileBytes, partBytes, connections }) {
      const server = await start(folder);
      const client = new CryoliftClient(server);
      const uploads: UploadRecord[] = [];
      const subject = {
        process: server.process,
        async send() {
          for (let nr = 0; nr < files; nr++) uploads.push(await client.open(fileBytes, partBytes));
          // The whole is hashed along the complete prefix: without part 0 there is none.
          return await client.sendParts(uploads, connections, wholeDigest ? 0 : 1);
        },
      };
      if (!wholeDigest) return subject;
      return {
        ...subject,
        async complete() {
          for (const upload of uploads) await client.complete(upload);
        },
      };
    },
  };
}

function plain(name: string, path: string, env: Record<string, string>, wholeDigest: boolean): System {
  const what = `${path}; ${wholeDigest ? WHOLE : PARTS}`;
  return cryolift({ name, what, kind: 'upload' }, wholeDigest, (folder) => startServer(folder, env));
}

/** With TLS of its own. */
function secure(name: string, path: string, env: Record<string, string>, wholeDigest: boolean): System {
  const what = `TLS of its own, ${path}; ${wholeDigest ? WHOLE : PARTS}`;
  return cryolift({ name, what, kind: 'tls' }, wholeDigest, (folder) => {
    const { cert, key } = makeCertificate(folder, 'localhost');
    return startServer(join(folder, 'data'), { CRYOLIFT_TLS_CERT: cert, CRYOLIFT_TLS_KEY: key, ...env });
  });
}

/** Behind a proxy that ends TLS, with the file of deploy/. Its CPU time counts, too. */
function behind(engine: Engine, socket: boolean): System {
  const between = socket ? 'a unix socket' : 'TCP';
  const what = `${engine.name} ends TLS, ${between} to the fast path; ${WHOLE}`;
  const name = `${engine.name}-${socket ? 'unix' : 'tcp'}-cryolift`;
  return cryolift({ name, what, kind: 'tls' }, true, async (folder) => {
    const server = await startServer(join(folder, 'data'), {
      CRYOLIFT_TRUST_PROXY: 'true',
      ...(socket ? { CRYOLIFT_SOCKET: join(folder, 'server.sock') } : {}),
    });
    return { ...server, ...(await putBehind(engine, join(folder, 'proxy'), server)) };
  });
}

export const CRYOLIFT: readonly System[] = [
  plain('cryolift-fast', 'fast path', {}, true),
  plain('cryolift-fast-parts', 'fast path', {}, false),
  plain('cryolift-ordinary', '`node:http`', STANDARD, true),
  plain('cryolift-ordinary-parts', '`node:http`', STANDARD, false),
  secure('cryolift-tls', 'fast path', {}, true),
  secure('cryolift-tls-parts', 'fast path', {}, false),
  secure('cryolift-tls-ordinary', '`node:https`', STANDARD, true),
  secure('cryolift-tls-ordinary-parts', '`node:https`', STANDARD, false),
];

export function behindProxy(engine: Engine): readonly System[] {
  return [behind(engine, false), behind(engine, true)];
}
