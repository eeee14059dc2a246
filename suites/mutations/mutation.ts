/** A mutation: one change of the product that breaks an invariant, and the tests that have to catch it. */
import { stripTypeScriptTypes } from 'node:module';

export interface Mutation {
  /** What the product does wrong then, in plain words; unique. */
  readonly name: string;
  /** The one of docs/architecture/8-invariants.md that it breaks. */
  readonly invariant: number;
  /** From the root of the repository. */
  readonly file: string;
  /** Occurs once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The test files that have to catch it: the narrowest ones. */
  readonly tests: readonly string[];
  /** Only the tests with such a name are run (`node --test-name-pattern`). */
  readonly pattern?: string;
  /** A test waits for what never happens then: that it does not end in time counts. */
  readonly hangs?: true;
}

/** @returns the source with the mutation. @throws Error when it does not apply, or what it makes cannot be parsed. */
export function mutate(source: string, { name, file, find, replace }: Mutation): string {
  const places = source.split(find).length - 1;
  if (places !== 1) throw new Error(`${name}: its text occurs ${places} times in ${file}`);
  // With a function, a dollar sign in the text has no meaning.
  const mutated = source.replace(find, () => replace);
  if (mutated === source) throw new Error(`${name}: it changes nothing`);
  try {
    stripTypeScriptTypes(mutated);
  } catch (error) {
    throw new Error(`${name}: ${file} cannot be parsed with it`, { cause: error });
  }
  return mutated;
}
