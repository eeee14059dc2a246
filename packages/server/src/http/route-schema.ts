/** Pieces of schemas that several calls share. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { ErrorEnvelope } from '@cryolift/protocol/messages';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import { Type } from 'typebox';

/** The application as routes see it: schemas give the types. */
export type Routes = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

export const UploadParams = Type.Object({ upload_id: Type.String({ maxLength: 256 }) });
export const FileParams = Type.Object({ file_id: Type.String({ maxLength: 256 }) });
export const NoContent = Type.Null({ description: 'No content.' });

/** The answers of a call: its successes, and the envelope for everything else. */
export function answers<const Successes extends object>(successes: Successes) {
  return { ...successes, '4xx': ErrorEnvelope, '5xx': ErrorEnvelope };
}
