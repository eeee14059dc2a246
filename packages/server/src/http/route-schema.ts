/** Pieces of schemas that several calls share. */

import type { IncomingMessage, ServerResponse } from 'node:http';
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
export const DatasetParams = Type.Object({ dataset_id: Type.String({ maxLength: 256 }) });
export const NoContent = Type.Null({ description: 'No content.' });
/** Of 304, which has no body at all. */
export const NotModified = Type.Unsafe<undefined>({ type: 'null' });
