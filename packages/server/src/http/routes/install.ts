/** `GET /install`: the one-file programs of a folder that `npm run dist` has filled, for instruments without internet. */
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { UploadError } from '@cryolift/protocol/errors';
import fastifyStatic from '@fastify/static';
import { publicBase } from '../public-url.ts';
import type { Routes } from '../route-schema.ts';
import type { Services } from '../services.ts';
import { pageHeaders } from './html.ts';
import { type Program, renderInstall, STYLE } from './install-page.ts';

const SUMS = 'SHA256SUMS';
/** A line of `sha256sum`. */
const SUM = /^([0-9a-f]{64}) [ *](cryolift-[a-z0-9.-]+)$/;
/** What lies beside the programs. */
const ACCOMPANYING = new RegExp(`^/(${SUMS}|LICENSES\\.txt|cryolift-[a-z0-9.-]+\\.cdx\\.json)$`);
const PAGE_HEADERS = { ...pageHeaders(STYLE), 'cache-control': 'no-cache' };

/** Without a folder there is no such path. */
export function registerInstall(app: Routes, { options }: Services): void {
  const folder = options.distDir;
  if (folder === null) return;
  app.register(async (scope) => {
    await scope.register(fastifyStatic, {
      root: folder,
      prefix: '/install/',
      index: false,
      decorateReply: false,
      cacheControl: false,
      allowedPath: (path) => ACCOMPANYING.test(path) || /^\/cryolift-[a-z0-9-]+(\.exe)?$/.test(path),
      setHeaders(reply, path) {
        reply.header('cache-control', 'no-cache');
        if (!ACCOMPANYING.test(`/${basename(path)}`)) reply.header('content-disposition', 'attachment');
      },
    });
    scope.get('/install', { schema: { hide: true } }, async (request, reply) => {
      const programs = await listPrograms(folder);
      reply.headers(PAGE_HEADERS).type('text/html; charset=utf-8');
      return renderInstall(programs, publicBase(request, options.publicUrl));
    });
  });
}

/**
 * Programs that SHA256SUMS names and that are there. @throws UploadError when there is no such list, and the system's
 * errors.
 */
async function listPrograms(folder: string): Promise<Program[]> {
  const sums = await readFile(join(folder, SUMS), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause;
    throw new UploadError('not_found', 'This server has no programs to offer.', {
      cause,
      hint: 'Its operator makes them: `npm run dist -- --folder FOLDER`, with CRYOLIFT_DIST_DIR=FOLDER.',
    });
  });
  const programs = sums.split('\n').map(async (line): Promise<Program | null> => {
    const [, sha256, name] = SUM.exec(line) ?? [];
    if (sha256 === undefined || name === undefined) return null;
    const stats = await stat(join(folder, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
      return null;
    });
    return stats?.isFile() ? { name, sha256, sizeBytes: stats.size } : null;
  });
  return (await Promise.all(programs)).filter((program) => program !== null);
}
