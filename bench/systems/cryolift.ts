/** This project: on the fast path or the standard path, with the digest of the whole file or of its parts only. */
import type { UploadRecord } from '@cryolift/protocol/messages';
import { CryoliftClient, startServer } from '../cryolift.ts';
import type { System } from './system.ts';

function cryolift(name: string, what: string, env: Record<string, string>, wholeDigest: boolean): System {
  return {
    name,
    what,
    async start(folder, { files, fileBytes, partBytes, connections }) {
      const server = await startServer(folder, env);
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

const WHOLE = 'SHA-256 of every part and of the whole file, durable records';
const PARTS = 'SHA-256 of every part, durable records; no digest of the whole (part 0 is held back)';
const ORDINARY = { CRYOLIFT_FAST_LANE: 'false' };

export const CRYOLIFT: readonly System[] = [
  cryolift('cryolift-fast', `fast path; ${WHOLE}`, {}, true),
  cryolift('cryolift-fast-parts', `fast path; ${PARTS}`, {}, false),
  cryolift('cryolift-ordinary', `\`node:http\`; ${WHOLE}`, ORDINARY, true),
  cryolift('cryolift-ordinary-parts', `\`node:http\`; ${PARTS}`, ORDINARY, false),
];
