/** The calls of a server, as its OpenAPI document describes them. */
import type { ERRORS, ErrorCode } from '@cryolift/protocol/errors';

export interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly propertyNames?: { readonly maxLength?: number };
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly format?: string;
}

type Content = Readonly<Record<string, { readonly schema: Schema }>>;

interface Link {
  readonly operationId: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: Schema;
}

interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Content;
  readonly links?: Readonly<Record<string, Link>>;
  /** Of refusals. */
  readonly 'x-codes'?: readonly ErrorCode[];
}

interface RawOperation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, Response>>;
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[];
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  readonly tags: readonly { readonly name: string }[];
  readonly 'x-errors': typeof ERRORS;
}

export interface Operation extends RawOperation {
  readonly method: string;
  /** With names in braces. */
  readonly path: string;
}

/** With every reference to a component replaced by what it refers to. */
export async function readDocument(url: string): Promise<OpenApiDocument> {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as OpenApiDocument;
  return inline(document, document) as OpenApiDocument;
}

export async function readOperations(url: string): Promise<Operation[]> {
  const { paths } = await readDocument(url);
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
}

function inline(value: unknown, document: object): unknown {
  if (Array.isArray(value)) return value.map((each) => inline(each, document));
  if (typeof value !== 'object' || value === null) return value;
  if ('$ref' in value) return inline(find(document, String(value.$ref)), document);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, inline(each, document)]));
}

/** @param reference as in `#/components/schemas/File`. */
function find(document: object, reference: string): unknown {
  const names = reference.split('/').slice(1);
  const found = names.reduce<unknown>(
    (value, name) => (value as Record<string, unknown> | undefined)?.[name],
    document,
  );
  if (found === undefined) throw new Error(`The document has no ${reference}`);
  return found;
}
