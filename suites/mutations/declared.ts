/** All mutations, by subject. */
import type { Mutation } from './mutation.ts';
import { ACCESS } from './subjects/access.ts';
import { BUCKETS } from './subjects/buckets.ts';
import { CLIENTS } from './subjects/clients.ts';
import { COMMAND_LINE } from './subjects/command-line.ts';
import { COMPLETING } from './subjects/completing.ts';
import { EVENTS_AND_LEASES } from './subjects/events.ts';
import { FOLDERS } from './subjects/folders.ts';
import { FORMATS } from './subjects/formats.ts';
import { PARTS } from './subjects/parts.ts';
import { PROTOCOLS } from './subjects/protocols.ts';
import { ROWS } from './subjects/rows.ts';
import { TRANSIT } from './subjects/transit.ts';
import { WEB_PAGE } from './subjects/web-page.ts';

export const SUBJECTS: Readonly<Record<string, readonly Mutation[]>> = {
  parts: PARTS,
  rows: ROWS,
  folders: FOLDERS,
  buckets: BUCKETS,
  completing: COMPLETING,
  protocols: PROTOCOLS,
  transit: TRANSIT,
  events: EVENTS_AND_LEASES,
  access: ACCESS,
  clients: CLIENTS,
  'command-line': COMMAND_LINE,
  formats: FORMATS,
  'web-page': WEB_PAGE,
};

export const MUTATIONS = Object.values(SUBJECTS).flat();
