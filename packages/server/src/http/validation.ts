/** Requests against their schemas. JSON is taken as it is; only what comes as text (query, path) is converted. */
import { UploadError } from '@cryolift/protocol/errors';
import { Ajv, type ValidateFunction } from 'ajv';
import type { FastifySchemaCompiler } from 'fastify';
import type { TSchema } from 'typebox';

export function createValidator(): FastifySchemaCompiler<TSchema> {
  const exact = new Ajv({ coerceTypes: false, useDefaults: true });
  const fromText = new Ajv({ coerceTypes: true, useDefaults: true });
  return ({ schema, httpPart }) =>
    httpPart === 'body' ? exact.compile(schema) : refuseInfinity(fromText.compile(schema));
}

/** `1e309` is converted to infinity, of which Ajv then judges neither minimum nor maximum. */
function refuseInfinity(validate: ValidateFunction) {
  const judge = (data: Record<string, unknown>) => {
    const isValid = validate(data);
    judge.errors = validate.errors ?? null;
    const odd = Object.entries(data).find(([, value]) => typeof value === 'number' && !Number.isFinite(value));
    if (!isValid || !odd) return isValid;
    return { error: new UploadError('invalid_request', `The request is not valid: ${odd[0]} is not a number.`) };
  };
  judge.errors = null as NonNullable<ValidateFunction['errors']> | null;
  return judge;
}
