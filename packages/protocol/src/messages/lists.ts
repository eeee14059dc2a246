/** Pages of lists, and the queries that ask for them. */
import { type TSchema, Type } from 'typebox';
import { Nullable } from './fields.ts';

export const page = <T extends TSchema>(item: T, title: string) =>
  Type.Object({ items: Type.Array(item), next_cursor: nextCursor(128) }, { title });

/** @param maxLength of the cursors of the list. */
export const nextCursor = (maxLength: number) => Nullable(Type.String({ minLength: 1, maxLength }));

/** @param cursorPattern pattern of every `next_cursor` of the list. */
export const pageFields = (cursorPattern: string, maxLength = 128) => ({
  cursor: Type.Optional(
    Type.String({ pattern: cursorPattern, maxLength, description: '`next_cursor` of the page before.' }),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
});

/** The id of the last item of the page before: a ULID. */
export const ID_CURSOR = '^[0-7][0-9A-HJKMNP-TV-Z]{25}$';

/** A cursor that only the call which made it can read. */
export const OPAQUE_CURSOR = '^[\\w-]+$';

/** An unknown parameter is refused. */
export const STRICT = { additionalProperties: false };

/** The query of a list without filters. */
export const PageQuery = Type.Object(pageFields(ID_CURSOR), STRICT);
