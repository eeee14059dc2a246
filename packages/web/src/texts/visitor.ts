/** Texts of the page of an upload link. */
import { formatBytes } from '../format.ts';
import { plural } from './plural.ts';

export const visitorTexts = {
  heading: (owner: string) => `Upload to ${owner}`,
  lead: (owner: string) =>
    `You opened an upload link of ${owner}. What you upload here belongs to ${owner}. The link shows no files of others, and cannot download or delete.`,
  until: 'Valid until',
  left: 'Left',
  leftBytes: (bytes: number) => formatBytes(bytes),
  leftFiles: (files: number) => plural(files, 'file', 'files'),
  noBound: 'as much as the owner may have',
  used: 'Uploaded so far',
  usedOf: (files: number, bytes: number) => `${plural(files, 'file', 'files')}, ${formatBytes(bytes)}`,
  types: 'Accepted',
  anyType: 'files of any type',
  typesUpTo: (types: string, maxBytes: number) => `${types}, up to ${formatBytes(maxBytes)} each`,
  expiresSoon: (minutes: number) =>
    `This link ends in ${plural(minutes, 'minute', 'minutes')}. Ask its owner for a new one if you need longer.`,
  expiredHeading: 'This link has ended',
  expiredLead:
    'What was received is kept, and what is left waits in this tab. Ask the owner for a new link, and paste it to continue.',
} as const;
