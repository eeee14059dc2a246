/** The types of files that a server takes. */
import { type Api, Patience } from '@cryolift/client';
import type { Limits } from '@cryolift/protocol/messages';

/**
 * A server that restarts is waited for, as by every upload.
 *
 * @returns extensions in lower case, without the dot.
 * @throws as Patience does.
 */
export async function askAcceptedTypes(
  api: Pick<Api, 'limits'>,
  { patience = new Patience(), signal, onTrouble }: AskOptions = {},
): Promise<ReadonlySet<string>> {
  return typesOf(await patience.retry(() => api.limits({ signal }), signal, onTrouble));
}

export function typesOf({ mrc_types, accepted_types }: Limits): ReadonlySet<string> {
  return new Set([...mrc_types, ...accepted_types]);
}

export interface AskOptions {
  patience?: Patience;
  signal?: AbortSignal | undefined;
  /** Told each failure that is waited out. */
  onTrouble?: (error: unknown) => void;
}
