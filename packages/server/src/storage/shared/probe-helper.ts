/** The second process of a probe. It ends with this one. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { HelperAnswer, HelperRequest } from './probe-process.ts';

/** Above the time that a busy system needs to start a process. */
const ANSWER_MS = 60_000;

export class ProbeHelper {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('./probe-process.ts', import.meta.url)), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });

  /** @throws an error with the code of the failure. */
  async read(path: string): Promise<Buffer> {
    return Buffer.from((await this.#ask({ kind: 'read', path })).base64 ?? '', 'base64');
  }

  async createNew(path: string): Promise<void> {
    await this.#ask({ kind: 'createNew', path });
  }

  async writeAt(path: string, bytes: Uint8Array, offsetBytes: number): Promise<void> {
    await this.#ask({ kind: 'write', path, offsetBytes, base64: Buffer.from(bytes).toString('base64') });
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await exited;
  }

  /** One request at a time. */
  async #ask(request: HelperRequest): Promise<HelperAnswer> {
    const settled = new AbortController();
    // Takes the listeners of the one that did not come away: the process lives for many requests.
    const signal = AbortSignal.any([settled.signal, AbortSignal.timeout(ANSWER_MS)]);
    const ended = once(this.#child, 'exit', { signal }).then(() => ({ error: 'the second process ended' }));
    const answered = once(this.#child, 'message', { signal }).then(([message]) => message as HelperAnswer);
    for (const each of [ended, answered]) each.catch(() => {});
    this.#child.send(request);
    const answer: HelperAnswer = await Promise.race([answered, ended]).finally(() => settled.abort());
    if (answer.error === undefined) return answer;
    throw Object.assign(new Error(answer.error), { code: answer.error });
  }
}
