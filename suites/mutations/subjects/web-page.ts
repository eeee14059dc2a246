/** The page. */
import type { Mutation } from '../mutation.ts';

const WEB = 'packages/web/src';

export const WEB_PAGE: readonly Mutation[] = [
  {
    name: 'the page uploads a file whose header the server would refuse',
    invariant: 8,
    file: `${WEB}/adding/header-check.ts`,
    find: 'refusals: check.rejections.map(({ message }) => message),',
    replace: 'refusals: check.rejections.map(({ message }) => message).slice(1),',
    tests: [`${WEB}/adding/header-check.test.ts`],
  },
  {
    name: 'the page uploads a file that is too large for the server',
    invariant: 8,
    file: `${WEB}/adding/header-check.ts`,
    find: 'if (file.size > limits.max_file_size) return [texts.check.tooLarge(limits.max_file_size)];',
    replace: '',
    tests: [`${WEB}/adding/header-check.test.ts`],
  },
  {
    name: 'the page takes two files of one name, size and time for one upload',
    invariant: 3,
    file: `${WEB}/adding/key-chooser.ts`,
    find: "return isActive(upload) || upload.state === 'cancelling';",
    replace: "return upload.state === 'cancelling';",
    tests: [`${WEB}/adding/key-chooser.test.ts`],
  },
  {
    name: 'the page gives two files that are added together one key',
    invariant: 3,
    file: `${WEB}/adding/key-chooser.ts`,
    find: 'if (!this.#chosen.has(key) && !(await this.#isOtherFile(key, handle))) return key;',
    replace: 'if (!(await this.#isOtherFile(key, handle))) return key;',
    tests: [`${WEB}/adding/key-chooser.test.ts`],
  },
  {
    name: 'the page shows parts as stored of which it knows nothing',
    invariant: 7,
    file: `${WEB}/uploads/upload.ts`,
    find: 'const has = (idx: number) => idx < known && !missing.has(idx);',
    replace: 'const has = (idx: number) => known >= 0 && !missing.has(idx);',
    tests: [`${WEB}/uploads/upload.test.ts`],
  },
  {
    name: 'the page counts a failed upload as sent',
    invariant: 7,
    file: `${WEB}/uploads/upload-states.ts`,
    find: 'failed: { ...NO_TRAITS, isUnfinished: true, isResumable: true },',
    replace: 'failed: { ...NO_TRAITS, isUnfinished: true, isResumable: true, isCounted: true },',
    tests: [`${WEB}/progress/totals.test.ts`],
  },
  {
    name: 'an upload that was paused on the page cannot go on',
    invariant: 6,
    file: `${WEB}/uploads/upload-states.ts`,
    find: "  paused: {\n    accept: null,\n    refuse: null,\n    start: null,\n    suspend: null,\n    pause: null,\n    resume: 'checking',",
    replace:
      '  paused: {\n    accept: null,\n    refuse: null,\n    start: null,\n    suspend: null,\n    pause: null,\n    resume: null,',
    tests: [`${WEB}/uploads/upload-states.test.ts`],
  },
  {
    name: 'an upload of the page that was stopped meanwhile goes on',
    invariant: 4,
    file: `${WEB}/uploads/upload-entries.ts`,
    find: 'if (state === null || this.get(entry.upload.key) !== entry) return false;',
    replace: 'if (state === null) return false;',
    tests: [`${WEB}/uploads/upload-entries.test.ts`],
  },
  {
    name: 'the page gives the token of one person to the uploads of another',
    invariant: 11,
    file: `${WEB}/signing-in/token-keeper.ts`,
    find: "value.kind === 'signed-in' && value.subject.key === subject.key;\n        const token",
    replace: "value.kind === 'signed-in' && subject.key !== '';\n        const token",
    tests: [`${WEB}/signing-in/token-keeper.test.ts`],
  },
  {
    name: 'the page signs somebody in who has signed out meanwhile',
    invariant: 4,
    file: `${WEB}/signing-in/token-keeper.ts`,
    find: 'if (!signal.aborted) this.#accept(token, identified.subject);',
    replace: 'if (signal) this.#accept(token, identified.subject);',
    tests: [`${WEB}/signing-in/token-keeper.test.ts`],
  },
];
