/** Values that a schema allows, those just beside it, and those that have nothing to do with it. */
import * as fc from 'fast-check';
import type { Schema } from './document.ts';

/** What has broken servers before. */
const NASTY = [
  '',
  ' ',
  '.',
  '..',
  '../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '%00',
  '\u0000',
  'a\r\nSet-Cookie: x=1',
  '\u202Egnp.mrc',
  'CON',
  'aux.mrc',
  'é'.repeat(128),
  'e\u0301.mrc',
  '💥.mrc',
  '\ud800',
  "'; drop table uploads; --",
  `$\{jndi:ldap://x}`,
  '{{7*7}}',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  'NaN',
  'null',
  '-1',
  '1e309',
  '0x10',
  '9007199254740993',
  'x'.repeat(4096),
];
const NASTY_NUMBERS = [-1, 0, 0.5, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e308, -1e308, -(2 ** 53)];

export const nastyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 64 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 300 }) },
);
const anything: fc.Arbitrary<unknown> = fc.oneof(
  nastyText,
  fc.constantFrom<unknown>(...NASTY_NUMBERS, null, true),
  fc.jsonValue(),
);

/** Mostly what the schema allows. */
export function valuesOf(schema: Schema): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 12, arbitrary: allowed(schema) }, { weight: 1, arbitrary: anything });
}

function allowed(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.anyOf) return fc.oneof(...schema.anyOf.map(valuesOf));
  switch (schema.type) {
    case 'object':
      return objectOf(schema);
    case 'array': {
      const { minItems: minLength = 0, maxItems = minLength + 5 } = schema;
      return fc.array(valuesOf(schema.items ?? {}), { minLength, maxLength: Math.min(maxItems, minLength + 5) });
    }
    case 'string':
      return textOf(schema);
    case 'integer':
    case 'number':
      return numberOf(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return anything;
  }
}

function objectOf({ properties = {}, required = [], additionalProperties }: Schema): fc.Arbitrary<unknown> {
  const fields = Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, valuesOf(each)]));
  const known = fc.record(fields, { requiredKeys: required.filter((name) => name in fields) });
  if (typeof additionalProperties !== 'object')
    return fc.oneof({ weight: 9, arbitrary: known }, { weight: 1, arbitrary: fc.object() });
  return fc.dictionary(fc.oneof(fc.string({ maxLength: 20 }), nastyText), valuesOf(additionalProperties), {
    maxKeys: 40,
  });
}

function textOf({ pattern, minLength = 0, maxLength = 300 }: Schema): fc.Arbitrary<string> {
  const free = fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 300) });
  return fc.oneof(
    pattern === undefined ? free : fc.stringMatching(new RegExp(pattern)),
    fc.constantFrom('movie.mrc', 'note.txt'),
    nastyText,
  );
}

function numberOf({ type, minimum = -(2 ** 53), maximum = 2 ** 53 }: Schema): fc.Arbitrary<number> {
  const near = fc.integer({ min: 0, max: 4000 }).map((above) => Math.min(maximum, minimum + above));
  const edges = fc.constantFrom(minimum, maximum, minimum - 1, maximum + 1, ...NASTY_NUMBERS);
  return fc.oneof(near, edges, type === 'number' ? fc.double({ noNaN: true }) : fc.maxSafeInteger());
}
