/**
 * Loaded into the server before anything of it (`node --import`), in its workers too: its wall clock is ahead by CLOCK_MS
 * milliseconds, or behind, as on a system whose clock was set wrongly. The monotonic clock stays.
 */
const aheadMs = Number(process.env.CLOCK_MS ?? 0);
const RealDate = globalThis.Date;
const now = () => RealDate.now() + aheadMs;

globalThis.Date = new Proxy(RealDate, {
  apply: () => new RealDate(now()).toString(),
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget === globalThis.Date ? target : newTarget),
  get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
});
const { timeOrigin } = performance;
Object.defineProperty(performance, 'timeOrigin', { get: () => timeOrigin + aheadMs });
