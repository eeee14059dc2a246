/** All texts of the page, in English. A translation replaces the files in `texts/`. */
import { batchTexts, quotaTexts } from './texts/batch.ts';
import { connectivityTexts, errorTexts, navTexts } from './texts/frame.ts';
import { activityTexts, filesTexts } from './texts/library.ts';
import { mdocTexts, mrcTexts, pictureTexts, tiffTexts, verdictTexts, voxelsTexts } from './texts/mrc.ts';
import { providerTexts } from './texts/provider.ts';
import { signInTexts } from './texts/sign-in.ts';
import { announceTexts, checkTexts, dropTexts, partsTexts, uploadTexts, waitTexts } from './texts/uploads.ts';
import { visitorTexts } from './texts/visitor.ts';

export const texts = {
  product: 'Cryolift',
  title: (share: string | null) => (share === null ? 'Cryolift' : `${share} · Cryolift`),
  skip: 'Skip to the content',
  loading: 'Loading …',
  more: 'Show more',
  retry: 'Try again',
  search: 'Search',
  close: 'Close',
  copy: 'Copy',
  copied: 'Copied',
  nav: navTexts,
  connectivity: connectivityTexts,
  error: errorTexts,
  signIn: signInTexts,
  provider: providerTexts,
  drop: dropTexts,
  batch: batchTexts,
  quota: quotaTexts,
  wait: waitTexts,
  check: checkTexts,
  upload: uploadTexts,
  parts: partsTexts,
  announce: announceTexts,
  activity: activityTexts,
  files: filesTexts,
  mdoc: mdocTexts,
  tiff: tiffTexts,
  mrc: mrcTexts,
  picture: pictureTexts,
  verdict: verdictTexts,
  voxels: voxelsTexts,
  visitor: visitorTexts,
} as const;
