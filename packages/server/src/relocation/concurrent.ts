/** Several pieces of work at the same time. */

/**
 * Does `work` for each item, `atOnce` at a time. After the first failure nothing more is started.
 *
 * @throws the first failure, when all that was started has ended.
 */
export async function forEachOf<T>(
  items: AsyncIterable<T> | Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let hasFailed = false;
  const worker = async () => {
    while (!hasFailed) {
      const next = await iterator.next();
      if (next.done) return;
      await work(next.value);
    }
  };
  const ended = await Promise.allSettled(
    Array.from({ length: atOnce }, () =>
      worker().catch((error: unknown) => {
        hasFailed = true;
        throw error;
      }),
    ),
  );
  const failed = ended.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}
