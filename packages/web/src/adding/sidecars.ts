/** The `.mdoc` files among the files that are added. */
import { isMdocName } from '@cryolift/mrc';
import type { FoundFile } from './found-files.ts';

/** Finds the one beside a series, by its name: `TS.mrc.mdoc`, or else `TS.mdoc`, in the same folder. */
export function sidecarsOf(found: readonly FoundFile[]): (of: FoundFile) => File | null {
  const sidecars = new Map<string, File>();
  for (const { file, path } of found) if (isMdocName(file.name)) sidecars.set(path ?? file.name, file);
  return ({ file: { name }, path }) => {
    const place = path ?? name;
    return sidecars.get(`${place}.mdoc`) ?? sidecars.get(`${place.replace(/\.[^./]*$/, '')}.mdoc`) ?? null;
  };
}
