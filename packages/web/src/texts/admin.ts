/** Texts of the view of administrators. They are loaded with it, so they are not in `texts.ts`. */
import { formatBytes, formatCount } from '../format.ts';
import { plural } from './plural.ts';

export const adminTexts = {
  heading: 'Facility',
  figures: 'Figures of the server',
  read: (ago: string, version: string) => `Read ${ago} from version ${version}`,
  space: {
    heading: 'Disk',
    free: (bytes: number) => `${formatBytes(bytes)} free`,
    of: (size: string) => `of ${size}`,
    used: 'Used part of the disk',
    full: (time: string) => `Full about ${time}, if files arrive as in the last hour`,
    unbounded: 'The storage has no limit, or does not answer.',
  },
  uploads: {
    heading: 'Uploads under way',
    states: (uploading: number, pending: number, verifying: number) =>
      `${formatCount(uploading)} receiving, ${formatCount(pending)} waiting, ${formatCount(verifying)} verifying`,
  },
  uploading: {
    heading: 'Receiving now',
    columns: ['File', 'Owner', '#Size', '#Received', 'Last part'],
    byLink: (owner: string) => `${owner} (by a link)`,
    empty: 'No upload receives bytes.',
    more: (shown: number) => `The newest ${formatCount(shown)} are shown.`,
  },
  failures: {
    heading: 'Failed uploads',
    period: 'in the last 24 hours',
    list: 'Failures of the last 24 hours',
    columns: ['File', 'Owner', 'Reason', 'When'],
    none: 'No upload has failed.',
    reason: (code: string, message: string) => `${message} (${code})`,
    more: (count: number) => `${formatCount(count)} earlier ones are not shown.`,
  },
  jobs: {
    heading: 'Analysis',
    states: (running: number, waiting: number) =>
      `${plural(running, 'job runs', 'jobs run')}, ${formatCount(waiting)} waiting`,
  },
  owners: {
    heading: 'Owners',
    columns: ['Owner', '#Bytes', '#Files', '#Open uploads', 'Newest file'],
    sort: 'Order of the owners',
    byBytes: 'Most bytes first',
    byName: 'By name',
    empty: 'Nobody has uploaded a file.',
  },
  webhook: {
    heading: 'Webhook',
    list: 'Events that the webhook has not accepted',
    columns: ['Event', 'State', '#Attempts', 'Due since', 'Last error'],
    none: 'No webhook is set.',
    empty: 'The webhook has accepted every event.',
    states: (waiting: number, dead: number) => `${formatCount(waiting)} sent again, ${formatCount(dead)} given up`,
    status: { waiting: 'Sent again', dead: 'Given up' },
    last: (type: string, trouble: string) => `Last failure: ${type}: ${trouble}`,
  },
  scrub: {
    heading: 'Scrub',
    columns: ['File', 'Fault', 'Message'],
    never: 'The stored files were never verified. Start it with: cryolift admin scrub',
    clean: 'No fault was found.',
    fault: { damaged: 'Damaged', missing: 'Missing', unreadable: 'Unreadable' },
    state: {
      running: (time: string) => `Running since ${time}.`,
      done: (time: string) => `Done ${time}.`,
      stopped: (time: string) => `Stopped by an administrator ${time}.`,
      failed: (time: string) => `Broke off ${time}; the log says why.`,
    },
    checked: (checked: string, all: string, bytes: string, ok: string) =>
      `${checked} of ${all} files checked (${bytes}), ${ok} of them unchanged.`,
  },
} as const;
