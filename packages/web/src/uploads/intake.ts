/** What becomes of files that were dropped or chosen. */
import { extensionOf, isMrcName } from '@cryolift/mrc';
import { useCallback } from 'react';
import { Cell } from '../cell.ts';
import { useServices } from '../services.ts';
import { texts } from '../texts.ts';
import type { FoundFile } from './found-files.ts';

/** What there is to say about the files that were given last; null: nothing. */
export const intakeNotice = new Cell<string | null>(null);

/** Of folders only what the server takes; what was given by itself is shown in any case, with the reason. */
export function useIntake(): (found: readonly FoundFile[]) => Promise<void> {
  const { uploads, queries, limits: query } = useServices();
  return useCallback(
    async (found) => {
      location.hash = 'upload';
      const limits = await queries.fetchQuery(query).catch(() => null);
      const takes = ({ file, path }: FoundFile) =>
        path === null || !limits || isMrcName(file.name) || limits.accepted_types.includes(extensionOf(file.name));
      const taken = found.filter(takes);
      const leftOut = found.length - taken.length;
      intakeNotice.set(found.length === 0 ? texts.drop.nothing : leftOut > 0 ? texts.drop.leftOut(leftOut) : null);
      await uploads.add(taken);
    },
    [uploads, queries, query],
  );
}
