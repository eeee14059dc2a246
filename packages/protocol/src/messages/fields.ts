/** Kinds of fields that several messages have. */
import { type Static, type TSchema, Type } from 'typebox';
import { UPLOAD_STATES } from '../states.ts';

export const MAX_SAFE = Number.MAX_SAFE_INTEGER;

/** An id as answers have it: opaque, URL-safe, sortable by time. */
export const Id = (description?: string) =>
  Type.String({ minLength: 1, maxLength: 64, ...(description === undefined ? {} : { description }) });

/** A text that is not empty. */
export const Text = (description?: string) =>
  Type.String({ minLength: 1, ...(description === undefined ? {} : { description }) });

/** A text of at least one character. */
export const bounded = (maxLength: number, description: string) =>
  Type.String({ minLength: 1, maxLength, description });

export const Count = (description: string) => Type.Integer({ minimum: 0, description });

export const Bytes = (description: string) => Type.Integer({ minimum: 0, maximum: MAX_SAFE, description });

export const Sha256Hex = (description: string) =>
  Type.String({ pattern: '^[0-9a-f]{64}$', maxLength: 64, description });

export const Time = (description: string) =>
  Type.String({ format: 'date-time', description: `${description} RFC 3339, UTC, milliseconds.` });

export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

export const Literals = <Values extends string[]>(values: readonly [...Values], description: string) =>
  Type.Enum(values, { description });

/** Schemas with a title are shared: the OpenAPI document has each once, under that name. */
export const UploadStatus = (description: string) => Type.Enum(UPLOAD_STATES, { title: 'UploadStatus', description });

/** Any text as key. A TypeBox record does not check keys with line breaks and their values. */
export function Pairs<const Value extends TSchema>(value: Value, description: string, bounds: object = {}) {
  return Type.Unsafe<Record<string, Static<Value>>>({
    type: 'object',
    additionalProperties: value,
    ...bounds,
    description,
  });
}

/** Coarse limits that are checked first. All pairs together have at most 4 KiB. */
export const METADATA_BOUNDS = { maxProperties: 64, propertyNames: { type: 'string', maxLength: 4096 } };

export const MetadataValue = Type.String({ maxLength: 4096 });

export const Metadata = Pairs(MetadataValue, 'At most 32 pairs of strings, 4 KiB in all.', {
  title: 'Metadata',
  ...METADATA_BOUNDS,
});
