/** Texts of the upload view. */
import { ANY_TYPE } from '@cryolift/protocol/accepted-types';
import { formatBytes, formatCount } from '../format.ts';
import { plural } from './plural.ts';

export const dropTexts = {
  heading: 'Drop micrographs, movies or volumes here',
  lead: 'Files or whole folders, of any size. An interrupted upload continues where it stopped.',
  again: 'Drop more files or folders anywhere',
  overlay: 'Drop to upload',
  files: 'Choose files',
  folder: 'Choose a folder',
  types: (types: readonly string[], maxBytes: number) =>
    `${types.includes(ANY_TYPE) ? 'any type' : types.map((type) => `.${type}`).join(' ')} · up to ${formatBytes(maxBytes)}`,
  leftOut: (count: number) =>
    `${plural(count, 'file', 'files')} of other types in the folder ${count === 1 ? 'was' : 'were'} left out.`,
  nothing: 'No files were found.',
  unreadable: (count: number) =>
    `${plural(count, 'file or folder', 'files or folders')} could not be read and ${count === 1 ? 'was' : 'were'} left out.`,
} as const;

export const checkTexts = {
  unreadable: 'The file cannot be read. Choose it again.',
  unknownType: (type: string, known: readonly string[]) =>
    `${type === '' ? 'Files without an extension are' : `.${type} files are`} not accepted here. Accepted: ${known.map((each) => `.${each}`).join(' ')}.`,
  sameBytes: 'Already there, same checksum: the folder on the server has this file, with the same name and bytes.',
  sameSize:
    'A file of this name and size is already there. Its bytes were not compared, because the file is larger than 2 GiB.',
  sameName: 'A file of this name and size is already there, with other bytes. Both are kept.',
  overQuota: 'The quota has no room for this file.',
  tooLarge: (maxBytes: number) => `The file is larger than this server accepts: ${formatBytes(maxBytes)}.`,
} as const;

export const uploadTexts = {
  heading: 'Upload',
  list: 'Files of this page',
  groups: {
    attention: (count: number) => `${plural(count, 'file needs', 'files need')} your attention`,
    current: 'Uploading',
    queued: (count: number) => `${formatCount(count)} queued`,
    done: (count: number) => `${formatCount(count)} done`,
  },
  retryAll: 'Retry all',
  showMore: (count: number) => `Show ${formatCount(count)} more`,
  hidden: (count: number) => `${plural(count, 'file', 'files')} more`,
  state: {
    checking: 'Reading header',
    refused: 'Not accepted',
    queued: 'Queued',
    running: 'Uploading',
    paused: 'Paused',
    interrupted: 'Interrupted',
    failed: 'Failed',
    cancelling: 'Cancelling',
    done: 'Uploaded',
  },
  starting: 'Starting',
  verifying: 'Verifying',
  reconciling: 'Checking the received parts',
  comparing: (bytes: number) => `Comparing with the received parts: ${formatBytes(bytes)} are the same`,
  hadOtherFile: 'The server had parts of another file with the same name and size. This file is uploaded separately.',
  waitsForToken: 'Waiting for a token',
  of: (stored: number, total: number) => `${formatBytes(stored)} of ${formatBytes(total)}`,
  rate: (bytesPerSecond: number) => `${formatBytes(bytesPerSecond)}/s`,
  left: (time: string) => `${time} left`,
  retrying: (reason: string) => `Retrying: ${reason}`,
  offline: 'No network. The upload continues when the network is back.',
  resumed: (bytes: number) => `${formatBytes(bytes)} were already on the server`,
  pause: 'Pause',
  resume: 'Resume',
  continue: 'Continue',
  cancel: 'Cancel',
  retry: 'Retry',
  restart: 'Start again',
  force: 'Upload anyway',
  remove: 'Remove from this list',
  show: 'Show file',
  addAgain: 'Drop or choose this file again to continue the upload where it stopped.',
  canContinue: 'Interrupted when the page was closed. Continue opens the file again from its folder.',
  action: (action: string, name: string) => `${action}: ${name}`,
  pauseAll: 'Pause all',
  resumeAll: 'Resume all',
  clearDone: 'Clear uploaded',
  total: (done: number, all: number) => `${formatCount(done)} of ${plural(all, 'file', 'files')} uploaded`,
  allDone: (all: number) => `${plural(all, 'file', 'files')} uploaded`,
  totalLabel: 'All uploads',
  barLabel: (name: string) => `Upload of ${name}`,
  cancelHeading: 'Cancel this upload?',
  cancelText: (name: string, bytes: number) =>
    `The received parts of ${name} (${formatBytes(bytes)}) are deleted from the server. Your own file is not changed.`,
  cancelConfirm: 'Cancel the upload',
  keep: 'Keep it',
  inDataset: (name: string) => `to ${name}`,
  changed: {
    message: 'The file has changed since its upload started.',
    hint: 'Start again deletes the received parts of the old content and uploads the file as it is now.',
  },
  warnings: (count: number) => plural(count, 'note about this file', 'notes about this file'),
} as const;

/** Why all uploads together wait. */
export const waitTexts = {
  offline: 'Waiting: no network',
  unreachable: 'Waiting: the server does not answer',
  full: 'Waiting: the server is full. Uploads continue when space was freed.',
  paused: 'Paused',
  interrupted: 'Interrupted',
  checking: 'Reading headers',
  because: (reason: string) => `Waiting: ${reason}`,
} as const;

export const partsTexts = {
  label: (stored: number, underWay: number, all: number) =>
    `${formatCount(stored)} of ${plural(all, 'part', 'parts')} received, ${formatCount(underWay)} in flight`,
} as const;

export const announceTexts = {
  total: (share: string, left: string) => `${share} uploaded, ${left} left`,
  done: (name: string) => `${name}: uploaded`,
  failed: (name: string) => `${name}: failed`,
  refused: (name: string) => `${name}: not accepted`,
  allDone: 'All files are uploaded',
} as const;
