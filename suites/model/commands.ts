/** The commands of fast-check: they run against the model and the server, and print themselves in one line. */
import { UPLOAD_STATES } from '@cryolift/protocol/states';
import fc from 'fast-check';
import { type Call, idOf, isOfUpload, print } from './operations.ts';
import { type Model, OWNERS } from './reference/model.ts';
import type { Session } from './session.ts';

export type Command = fc.AsyncCommand<Model, Session>;

const owner = fc.constantFrom(...OWNERS);
/** Most clients are right. */
const declared = fc.oneof(
  { weight: 3, arbitrary: fc.constant('none' as const) },
  { weight: 3, arbitrary: fc.constant('right' as const) },
  { weight: 1, arbitrary: fc.constant('wrong' as const) },
);
const rarely = fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) });
const variant = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0 as const) },
  { weight: 1, arbitrary: fc.constant(1 as const) },
);
const ofUpload = { upload: fc.nat(5), isStranger: fc.oneof({ weight: 19, arbitrary: fc.constant(false) }, rarely) };
const sometimes = (name: string) => fc.constantFrom(null, name);

const kind = <Kind extends string>(value: Kind) => fc.constant(value);
const init = fc.record({
  ...{ kind: kind('init'), owner, size: fc.nat(5), declared },
  ...{ fingerprint: sometimes('f1'), key: sometimes('k1') },
});
const create = fc.record({ kind: kind('create'), owner, size: fc.nat(5), declared });
const part = fc.record({
  ...{ kind: kind('part'), ...ofUpload, idx: fc.nat(4), variant, digest: declared, isShort: rarely },
});
const append = fc.record({
  ...{ kind: kind('append'), ...ofUpload, variant, checksum: declared },
  at: fc.oneof(
    { weight: 6, arbitrary: fc.constant('right' as const) },
    { weight: 1, arbitrary: fc.constantFrom('behind' as const, 'ahead' as const) },
  ),
  length: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 10 }) },
    { weight: 3, arbitrary: fc.constant('rest' as const) },
    { weight: 1, arbitrary: fc.constant('beyond' as const) },
  ),
});
const complete = fc.record({ kind: kind('complete'), ...ofUpload, digest: declared });
const onUpload = (...kinds: readonly ('cancel' | 'show' | 'parts' | 'head' | 'terminate')[]) =>
  fc.record({ kind: fc.constantFrom(...kinds), ...ofUpload });
const onFile = fc.record({ kind: fc.constantFrom('download' as const, 'delete' as const), ...ofUpload });
const list = fc.record({
  kind: kind('list'),
  owner,
  status: fc.oneof(fc.constant(null), fc.constantFrom(...UPLOAD_STATES)),
});
const report = fc.record({ kind: fc.constantFrom('files' as const, 'limits' as const), owner });
const sweep = fc.record({ kind: kind('sweep') });

const changes: fc.WeightedArbitrary<Call>[] = [
  { weight: 8, arbitrary: part },
  { weight: 6, arbitrary: append },
  { weight: 6, arbitrary: complete },
  { weight: 2, arbitrary: onUpload('cancel', 'terminate') },
  { weight: 1, arbitrary: onFile },
];
const calls: fc.WeightedArbitrary<Call>[] = [
  ...changes,
  { weight: 5, arbitrary: init },
  { weight: 3, arbitrary: create },
  { weight: 2, arbitrary: onUpload('show', 'parts', 'head') },
  { weight: 1, arbitrary: list },
  { weight: 1, arbitrary: report },
  { weight: 1, arbitrary: sweep },
];

/** @param server modulo the number of servers. */
function one(call: Call, server: number): Command {
  return {
    check: (model) => !isOfUpload(call) || idOf(model, call) !== undefined,
    run: async (_, session) => void (await session.run([call], server % session.site.servers)),
    toString: () => `${print(call)}${at(server)}`,
  };
}

/** Both at once, the second one at another server where there is one. */
function both(first: Call, second: Call, server: number): Command {
  return {
    check: (model) => [first, second].every((call) => !isOfUpload(call) || idOf(model, call) !== undefined),
    run: async (_, session) => void (await session.run([first, second], server % session.site.servers)),
    toString: () => `[${print(first)} | ${print(second)}]${at(server)}`,
  };
}

/** Sends all parts that are missing, as a client does. */
function finish(upload: number, server: number): Command {
  return {
    check: (model) => idOf(model, { upload, isStranger: false }) !== undefined,
    run: async (model, session) => {
      const ofSameUpload = { upload, isStranger: false } as const;
      const known = model.uploads.get(idOf(model, ofSameUpload) ?? '');
      const missing = known?.parts.flatMap((sent, idx) => (sent === null ? [idx] : [])) ?? [];
      for (const idx of missing) {
        const call: Call = { kind: 'part', ...ofSameUpload, idx, variant: 0, digest: 'right', isShort: false };
        await session.run([call], server % session.site.servers);
      }
    },
    toString: () => `all missing parts upload:${upload}${at(server)}`,
  };
}

function time(what: 'pass' | 'jump', minutes: number): Command {
  return {
    check: () => true,
    run: (_, session) => session[what](minutes * 60_000),
    toString: () => `${what} ${minutes} min`,
  };
}

function restart(server: number): Command {
  return {
    check: () => true,
    run: (_, session) => session.restart(server % session.site.servers),
    toString: () => `restart${at(server)}`,
  };
}

function at(server: number): string {
  return server === 0 ? '' : ` @${server}`;
}

const server = fc.nat(1);
/** Of the same upload. */
const pair = fc
  .tuple(fc.oneof(...changes), fc.oneof(...changes), server)
  .map(([first, second, nth]) =>
    both(first, isOfUpload(second) && isOfUpload(first) ? { ...second, upload: first.upload } : second, nth),
  );
const inits = fc
  .tuple(init, init, server)
  .map(([first, second, nth]) => both(first, { ...second, owner: first.owner }, nth));

/** A restart costs as much as all other commands of a run. */
const any = fc.oneof(
  { weight: 60, arbitrary: fc.tuple(fc.oneof(...calls), server).map(([call, nth]) => one(call, nth)) },
  { weight: 10, arbitrary: fc.tuple(ofUpload.upload, server).map(([upload, nth]) => finish(upload, nth)) },
  { weight: 10, arbitrary: pair },
  { weight: 2, arbitrary: inits },
  { weight: 6, arbitrary: fc.constantFrom(30, 61, 121, 300).map((minutes) => time('pass', minutes)) },
  { weight: 2, arbitrary: fc.constantFrom(0.5, 30, 180, 1440, -0.5, -30, -180, -1440).map((by) => time('jump', by)) },
  { weight: 1, arbitrary: server.map(restart) },
);

/** @param replayPath of a run that is repeated. */
export function commands({ maxCommands, replayPath }: { maxCommands: number; replayPath: string | undefined }) {
  return fc.commands([any], { maxCommands, size: 'max', ...(replayPath === undefined ? {} : { replayPath }) });
}
