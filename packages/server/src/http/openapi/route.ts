/** The schemas of a route as its clients should see them. */
import type { FastifyContextConfig, FastifySchema, RouteOptions } from 'fastify';
import { Type } from 'typebox';
import type { Schema } from './components.ts';
import { REQUEST_HEADERS } from './headers.ts';
import type { Documented } from './operation.ts';

/** What is said of a route beside its schemas. */
export interface RouteFacts {
  readonly config: FastifyContextConfig;
  readonly documented: Documented;
  readonly isBodyOptional: boolean;
}

/** Where an operation has the facts of its route: @fastify/swagger copies fields with such names. */
export const ROUTE = 'x-route';

interface Described {
  schema: FastifySchema;
  url: string;
}

/** For @fastify/swagger. What it does not do is left to `document.ts`. */
export function describeRoute({ schema, url, route }: { schema?: FastifySchema; url: string; route: RouteOptions }) {
  if (!schema || schema.hide) return { schema: { hide: true }, url } as Described;
  const { documented = {}, ...shown } = schema;
  const { config = {} as FastifyContextConfig } = route;
  const body = withoutNull(schema.body as Schema | undefined);
  const facts: RouteFacts = { config, documented, isBodyOptional: body !== schema.body };
  const described = {
    ...shown,
    ...(body ? { body: withFields(body, documented.body) } : {}),
    ...(schema.params ? { params: describeParams(schema.params as Schema, documented) } : {}),
    headers: describeHeaders(schema.headers as Schema | undefined, documented),
    ...describeSecurity(config, documented),
    [ROUTE]: facts,
  };
  return { schema: described, url } as Described;
}

function describeSecurity({ scope, identifies, signable }: FastifyContextConfig, documented: Documented) {
  if (identifies) return { security: [{}, { bearer: [] }] };
  if (!scope) return { security: [] };
  const bearer = [scope, documented.scope].filter((each) => each !== undefined);
  return { security: [{ bearer }, ...(signable ? [{ signed_url: [] }] : [])] };
}

/** No body is taken as null; a client that sends one has no use for null. */
function withoutNull(body: Schema | undefined): Schema | undefined {
  const [first, second] = body?.anyOf ?? [];
  return second?.type === 'null' ? first : body;
}

/** A piece of a path is never empty. */
function describeParams(validated: Schema, { params }: Documented): Schema {
  const { properties = {} } = withFields(validated, params);
  const described = Object.entries(properties).map(([name, each]) => [
    name,
    each.type === 'string' ? { minLength: 1, ...each } : each,
  ]);
  return { ...validated, properties: Object.fromEntries(described) };
}

function describeHeaders(validated: Schema = { type: 'object' }, { headers = [] }: Documented): Schema {
  return withFields(validated, Object.fromEntries(headers.map((name) => [name, Type.Optional(REQUEST_HEADERS[name])])));
}

function withFields(schema: Schema, fields: Readonly<Record<string, object>> = {}): Schema {
  // An array has no properties.
  if (schema.type === 'array') return schema;
  return { ...schema, properties: { ...schema.properties, ...fields } };
}
