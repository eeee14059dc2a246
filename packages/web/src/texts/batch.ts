/** Texts about files that are added together, and about the quota. */
import { formatBytes, formatCount } from '../format.ts';
import { plural } from './plural.ts';

export const batchTexts = {
  label: 'Files that were added',
  checking: (checked: number, all: number) =>
    `Checking ${plural(all, 'file', 'files')} before they are sent: ${formatCount(checked)} checked …`,
  cancel: 'Do not upload them',
  files: (count: number, bytes: number) => `${plural(count, 'file', 'files')}, ${formatBytes(bytes)}:`,
  refused: (refused: number, all: number) => {
    if (refused === 0) return all === 1 ? 'it is accepted.' : 'all are accepted.';
    const rest = all - refused;
    const others = rest === 0 ? '' : ` ${rest === 1 ? 'The other one is' : 'The others are'} uploaded.`;
    return `${formatCount(refused)} ${refused === 1 ? 'is' : 'are'} refused.${others}`;
  },
  reason: (name: string, reason: string) => `${name}: ${reason}`,
  more: (count: number) => `${plural(count, 'more file', 'more files')}, in the list below`,
  sameName: (count: number) =>
    `${plural(count, 'file has', 'files have')} the same name and folder as another one. All are kept, as files of their own.`,
  free: (bytes: number | null, files: number | null) => {
    const parts = [
      ...(bytes === null ? [] : [formatBytes(bytes)]),
      ...(files === null ? [] : [plural(files, 'file', 'files')]),
    ];
    return `After them the quota has room for ${parts.join(' and ')}.`;
  },
} as const;

export const quotaTexts = {
  label: 'Used part of the quota',
  bytes: (used: number, most: number) => `${formatBytes(used)} of ${formatBytes(most)} used`,
  files: (used: number, most: number) => `${formatCount(used)} of ${plural(most, 'file', 'files')}`,
  little: (isLink: boolean) =>
    isLink ? 'Little is left of what this link allows.' : 'Your quota is nearly used. Delete files, or ask for more.',
  none: (isLink: boolean) =>
    isLink
      ? 'Nothing is left of what this link allows. Ask its owner for another one.'
      : 'Your quota is used. Delete files, or ask for more, before you upload.',
} as const;
