/**
 * Validates requests against their schemas, and prints answers by them. Values are converted only in queries and paths,
 * which are text.
 */
import { UploadError } from '@cryolift/protocol/errors';
import { Ajv, type ValidateFunction } from 'ajv';
import fastJson from 'fast-json-stringify';
import type { FastifyInstance, FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify';
import { type TSchema, Type } from 'typebox';

/** Allows one spelling of an integer, so that different URLs are different requests. */
const INTEGER = /^(?:0|-?[1-9]\d{0,15})$/;

/** As this server prints times. */
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const NO_QUERY = Type.Object({}, { additionalProperties: false });
const signedText = (maxLength: number) =>
  Type.Optional(Type.String({ maxLength, description: 'Part of a signed URL.' }));
/** The parameters of a signed URL. They are checked with the signature, before the schema is used. */
const SIGNED_QUERY = Type.Object(
  { cl_exp: signedText(16), cl_key: signedText(128), cl_len: signedText(16), cl_sig: signedText(64) },
  { additionalProperties: false },
);

/** A schema is compiled when the first value has to be validated, because a start would take longer by all of them. */
export function createValidator(): FastifySchemaCompiler<TSchema> {
  const exact = new Ajv({ coerceTypes: false, useDefaults: true, formats: { 'date-time': RFC_3339 } });
  const fromText = new Ajv({ coerceTypes: true, useDefaults: true });
  return ({ schema, httpPart }) =>
    httpPart === 'body' ? compileLater(exact, schema) : withPlainIntegers(schema, compileLater(fromText, schema));
}

/**
 * Gives every call of the OpenAPI document a schema of its query that refuses other parameters. To be registered before
 * the routes.
 *
 * @throws Error, so that the server does not start, for a route whose own schema allows any parameter.
 */
export function requireStrictQueries(app: FastifyInstance): void {
  app.addHook('onRoute', (options) => {
    const { schema = {}, url, method, config } = options;
    if (schema.hide) return;
    const querystring = schema.querystring ?? (config?.signable ? SIGNED_QUERY : NO_QUERY);
    if ((querystring as { additionalProperties?: unknown }).additionalProperties !== false) {
      throw new Error(`${method} ${url}: the schema of its query lacks additionalProperties: false.`);
    }
    options.schema = { ...schema, querystring };
  });
}

/** Prints answers. The code for a schema is made when the first value has to be printed, as for validators. */
export function createSerializer(): FastifySerializerCompiler<TSchema> {
  return ({ schema }) => {
    let print: ((value: unknown) => string) | null = null;
    return (value) => {
      print ??= fastJson(schema as Parameters<typeof fastJson>[0]);
      return print(value);
    };
  };
}

interface Validator {
  (data: unknown): boolean;
  errors: NonNullable<ValidateFunction['errors']> | null;
}

function compileLater(ajv: Ajv, schema: TSchema): Validator {
  let compiled: ValidateFunction | null = null;
  const validate: Validator = (data) => {
    compiled ??= ajv.compile(schema);
    const isValid = compiled(data);
    validate.errors = compiled.errors ?? null;
    return isValid;
  };
  validate.errors = null;
  return validate;
}

/** Ajv converts `1e2`, ` 5` and `0x10`; and `1e309` to infinity, which it compares with no minimum and no maximum. */
function withPlainIntegers(schema: unknown, validate: Validator) {
  const { properties = {} } = schema as { properties?: Record<string, { type?: string }> };
  const integers = Object.keys(properties).filter((name) => properties[name]?.type === 'integer');
  const check = (data: Record<string, unknown>) => {
    const odd = integers.find((name) => typeof data[name] === 'string' && !INTEGER.test(data[name]));
    if (odd !== undefined) {
      return { error: new UploadError('invalid_request', `The request is not valid: ${odd} is not an integer.`) };
    }
    const isValid = validate(data);
    check.errors = validate.errors;
    return isValid;
  };
  check.errors = null as Validator['errors'];
  return check;
}
