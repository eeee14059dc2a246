/** What @fastify/swagger cannot say: shared components, exact errors, headers of answers, links. */
import type { ErrorCode } from '@cryolift/protocol/errors';
import { ErrorEnvelope } from '@cryolift/protocol/messages';
import { ComponentSchemas, type Schema } from './components.ts';
import { byStatus, codesOf, describeFailure, nameOf } from './failures.ts';
import { RESPONSE_HEADERS, type ResponseHeader, refer } from './headers.ts';
import { LINKS, linksOf } from './links.ts';
import { ROUTE, type RouteFacts } from './route.ts';

type Content = Record<string, { schema: Schema }>;
interface Response {
  readonly description: string;
  readonly headers?: object;
  readonly content?: Content;
  readonly links?: object;
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, Response | { $ref: string }>>;
}
/** As @fastify/swagger makes it. */
type GivenOperation = Omit<Operation, 'responses'> & {
  readonly responses: Readonly<Record<string, Response>>;
  readonly [ROUTE]: RouteFacts;
};
interface Document {
  readonly components?: object;
  readonly paths?: object;
}

const SUCCESSES: Readonly<Record<number, string>> = {
  200: 'Done.',
  201: 'Made.',
  202: 'In progress.',
  204: 'Done; the answer has no body.',
  206: 'The requested range of bytes.',
  304: 'Not modified: the client has the current version.',
};
const TEXT = /^(application\/json|text\/.*)$/;

export function finishDocument<Given extends Document>(given: Given): Given {
  const shared = new Shared();
  const paths = Object.entries(given.paths ?? {}).map(([path, methods]) => {
    const operations = Object.entries(methods as Record<string, GivenOperation>);
    return [path, Object.fromEntries(operations.map(([method, each]) => [method, finish(method, each, shared)]))];
  });
  return { ...given, components: { ...given.components, ...shared.components() }, paths: Object.fromEntries(paths) };
}

function finish(method: string, { [ROUTE]: route, ...given }: GivenOperation, shared: Shared): Operation {
  const { documented, config, isBodyOptional } = route;
  const { parameters = [], requestBody } = given;
  // One route has both methods, and every operation has an id of its own.
  const operationId = method === 'head' ? `head_${given.operationId}` : given.operationId;
  const codes = codesOf({
    method: method.toUpperCase(),
    config,
    hasBody: requestBody !== undefined,
    errors: documented.errors ?? [],
  });
  const isList = parameters.some(({ name }) => name === 'cursor');
  const successes = Object.entries(given.responses).map(([status, { content }]) => {
    const headers = documented.responseHeaders?.[Number(status)] ?? [];
    const body = content && method !== 'head' ? shared.referContent(content) : undefined;
    return [status, describeSuccess(Number(status), headers, body, linksOf(operationId, titleOf(body), isList))];
  });
  const failures = [...byStatus(codes)].map(([status, each]) => [status, shared.referFailure(status, each)]);
  return {
    ...given,
    operationId,
    ...(parameters.length > 0 ? { parameters: parameters.map((each) => shared.referParameter(each)) } : {}),
    ...(requestBody
      ? {
          requestBody: { ...requestBody, required: !isBodyOptional, content: shared.referContent(requestBody.content) },
        }
      : {}),
    responses: Object.fromEntries([...successes, ...failures]),
  };
}

function describeSuccess(
  status: number,
  headers: readonly ResponseHeader[],
  content: Content | undefined,
  links: object,
): Response {
  return {
    description: SUCCESSES[status] ?? '',
    headers: refer(['X-Request-Id', ...headers]),
    ...(content ? { content } : {}),
    ...(Object.keys(links).length > 0 ? { links } : {}),
  };
}

function titleOf(body: Content | undefined): string | undefined {
  return body?.['application/json']?.schema.$ref?.split('/').at(-1);
}

/** What operations refer to. */
class Shared {
  readonly #schemas = new ComponentSchemas();
  readonly #responses: Record<string, object> = {};
  readonly #error = this.#schemas.refer(ErrorEnvelope as Schema);

  referFailure(status: number, codes: readonly ErrorCode[]): { $ref: string } {
    const name = nameOf(codes);
    this.#responses[name] ??= describeFailure(status, codes, this.#error);
    return { $ref: `#/components/responses/${name}` };
  }

  referContent(content: Content): Content {
    const bodies = Object.entries(content).map(([type, { schema }]) => {
      const body = TEXT.test(type) ? schema : { ...schema, type: 'string', format: 'binary' };
      return [type, { schema: this.#schemas.refer(body) }];
    });
    return Object.fromEntries(bodies) as Content;
  }

  referParameter<Parameter extends { readonly schema: Schema }>(parameter: Parameter): Parameter {
    return { ...parameter, schema: this.#schemas.refer(parameter.schema) };
  }

  components(): object {
    const headers = Object.entries<Schema>(RESPONSE_HEADERS).map(([name, { description, ...schema }]) => {
      return [name, { description, schema: this.#schemas.refer(schema) }];
    });
    return {
      schemas: this.#schemas.all(),
      responses: this.#responses,
      headers: Object.fromEntries(headers),
      links: LINKS,
    };
  }
}
