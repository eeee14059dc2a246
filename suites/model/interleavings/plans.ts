/** The plans that fast-check makes. */
import fc from 'fast-check';
import type { Call, Declared } from '../operations.ts';
import type { Plan } from './interleaving.ts';

const same = { upload: fc.constant(0), isStranger: fc.constant(false) };
const kind = <Kind extends string>(value: Kind) => fc.constant(value);
const usually = <T>(often: T, ...others: readonly T[]) =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(often) }, { weight: 1, arbitrary: fc.constantFrom(...others) });
const declared = fc.constantFrom<Declared>('none', 'none', 'right', 'right', 'wrong');
const variant = fc.constantFrom(0 as const, 0 as const, 1 as const);

const part = fc.record({
  ...{ kind: kind('part'), ...same, idx: fc.nat(1), variant, digest: declared, isShort: fc.constant(false) },
});
const append = fc.record({
  ...{ kind: kind('append'), ...same, at: usually<'right' | 'behind'>('right', 'behind'), variant },
  length: fc.constantFrom<number | 'rest'>(1, 3, 5, 'rest'),
  checksum: usually<Declared>('none', 'right', 'wrong'),
});
const complete = fc.record({ kind: kind('complete'), ...same, digest: declared });
const cancel = fc.record({ kind: kind('cancel'), ...same });
const show = fc.record({ kind: kind('show'), ...same });
const sweep = fc.record({ kind: kind('sweep') });
const always = fc.boolean().map((isWrong) => (isWrong ? 'wrong' : 'right') as Declared);

const init = fc.record({
  ...{ kind: kind('init'), owner: kind('ada'), size: fc.nat(1), declared: fc.oneof(kind('none'), always) },
  ...{ fingerprint: fc.constant(null), key: fc.constant(null) },
});
const create = fc.record({
  ...{ kind: kind('create'), owner: kind('ada'), size: fc.nat(2), declared: fc.oneof(kind('none'), always) },
});

/** Calls at an upload in parts; three may meet. */
const parted: fc.Arbitrary<Plan> = fc.record({
  start: init,
  before: fc.array(part, { maxLength: 2 }),
  isOverdue: usually(false, true),
  atOnce: fc.array(fc.oneof<fc.WeightedArbitrary<Call>[]>(...parts()), { minLength: 2, maxLength: 3 }),
});

function parts(): fc.WeightedArbitrary<Call>[] {
  return [
    { weight: 5, arbitrary: part },
    { weight: 4, arbitrary: complete },
    { weight: 2, arbitrary: cancel },
    { weight: 1, arbitrary: sweep },
    { weight: 1, arbitrary: show },
  ];
}

/** Calls at an upload that is appended. */
const appended: fc.Arbitrary<Plan> = fc.record({
  start: create,
  before: fc.array(append, { maxLength: 2 }),
  isOverdue: usually(false, true),
  atOnce: fc.tuple(append, fc.oneof<fc.WeightedArbitrary<Call>[]>(...appends())),
});

function appends(): fc.WeightedArbitrary<Call>[] {
  return [
    { weight: 5, arbitrary: append },
    { weight: 2, arbitrary: complete },
    { weight: 2, arbitrary: cancel },
    { weight: 1, arbitrary: sweep },
    { weight: 1, arbitrary: show },
  ];
}

export const plans = fc.oneof({ weight: 3, arbitrary: parted }, { weight: 2, arbitrary: appended });
