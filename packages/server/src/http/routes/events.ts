/** Streams of events: of one upload, or of all uploads and files of the caller. */
import { finished, Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Watch } from '../../events/bus.ts';
import { follow } from '../../events/follow.ts';
import { getUpload } from '../../uploads/lookup.ts';
import { accessOf, expiryOf, hasScope, ownerOf } from '../auth/caller.ts';
import { UPLOAD_ERRORS } from '../openapi/operation.ts';
import { type Routes, UploadParams } from '../route-schema.ts';
import type { Services } from '../services.ts';

/** When a stream has ended and the client does not read the rest in this time, the connection is cut. */
const LINGER_MS = 1_000;

const STREAM = {
  content: {
    'text/event-stream': { schema: Type.String({ description: 'Server-sent events; data is a CloudEvent.' }) },
  },
};
const Resume = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({ pattern: '^\\d{1,15}$', maxLength: 15, description: 'The id of the last event that was read.' }),
  ),
});

export function registerEvents(app: Routes, { uploads, events, streams }: Services): void {
  const config = { scope: 'uploads:write', isLong: true, isStreamed: true } as const;

  app.get(
    '/uploads/:upload_id/events',
    {
      config,
      schema: {
        operationId: 'streamUploadEvents',
        tags: ['events'],
        summary: 'State and events of an upload until it ends, as server-sent events.',
        params: UploadParams,
        headers: Resume,
        response: { 200: STREAM },
        documented: { errors: UPLOAD_ERRORS },
      },
    },
    async (request, reply) => {
      const { id } = await getUpload(uploads, accessOf(request.caller), request.params.upload_id);
      return await answer(request, reply, { uploadId: id });
    },
  );

  app.get(
    '/events',
    {
      config,
      schema: {
        operationId: 'streamEvents',
        tags: ['events'],
        summary: "Events of the caller's uploads and files, as server-sent events.",
        headers: Resume,
        response: { 200: STREAM },
      },
    },
    async (request, reply) => await answer(request, reply, { owner: ownerOf(request.caller) }),
  );

  async function answer(request: FastifyRequest, reply: FastifyReply, watch: Watch): Promise<FastifyReply> {
    const { caller, headers, method } = request;
    // Asks proxies not to buffer the answer, which would delay every event.
    reply.type('text/event-stream').header('x-accel-buffering', 'no');
    if (method === 'HEAD') return await reply.send();
    const last = headers['last-event-id'];
    const mayEmit = (subject: string) => subject.startsWith('uploads/') || hasScope(caller, 'files:read');
    const stream = streams.begin(ownerOf(caller), expiryOf(caller));
    finished(reply.raw, () => stream.abort());
    stream.signal.addEventListener('abort', () => {
      setTimeout(() => reply.raw.writableFinished || reply.raw.destroy(), LINGER_MS).unref();
    });
    const text = follow(events, watch, last === undefined ? null : Number(last), mayEmit, stream.signal);
    return await reply.send(Readable.from(text, { objectMode: false }));
  }
}
