/** Which types of files a server accepts beside MRC. */

/** In `accepted_types`: any type, and names without an extension. */
export const ANY_TYPE = '*';

/** @param extension lower case, without the dot; empty: the name has none. */
export function isAcceptedType(accepted: Iterable<string>, extension: string): boolean {
  for (const type of accepted) if (type === ANY_TYPE || type === extension) return true;
  return false;
}
