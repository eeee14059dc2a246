/** What a file that the server has already means for its upload. */
import { texts } from '../texts.ts';
import type { HeaderCheck } from './header-check.ts';
import type { Known } from './known-files.ts';

/** A file that is there is not sent again, unless the user wants it. */
export function withKnown(check: HeaderCheck, known: Known | null): HeaderCheck {
  if (known === null || check.refusals.length > 0) return check;
  if (known === 'other') {
    const finding = { code: 'same_name', message: texts.check.sameName };
    return { ...check, warnings: [...check.warnings, finding] };
  }
  return { ...check, refusals: [known === 'same' ? texts.check.sameBytes : texts.check.sameSize], canForce: true };
}
