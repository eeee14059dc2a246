/** Requests against their schemas. JSON is taken as it is; only what comes as text (query, path) is converted. */
import { Ajv } from 'ajv';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';

export function createValidator(): FastifySchemaCompiler<TSchema> {
  const exact = new Ajv({ coerceTypes: false, useDefaults: true });
  const fromText = new Ajv({ coerceTypes: true, useDefaults: true });
  return ({ schema, httpPart }) => (httpPart === 'body' ? exact : fromText).compile(schema);
}
