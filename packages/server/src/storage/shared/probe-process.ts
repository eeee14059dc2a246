/** A process that reads and writes in a shared folder as another server does, on request of `probe-helper.ts`. */
import { SYSTEM_PROBE } from './probe-calls.ts';

/** To the process. */
export type HelperRequest =
  | { kind: 'read' | 'createNew'; path: string }
  | { kind: 'write'; path: string; offsetBytes: number; base64: string };
/** From it: what was read, or the code of the failure. */
export interface HelperAnswer {
  base64?: string;
  error?: string;
}

process.on('message', (request: HelperRequest) => {
  answer(request).then(
    (found) => process.send?.(found),
    ({ code, message }: NodeJS.ErrnoException) => process.send?.({ error: code ?? message } satisfies HelperAnswer),
  );
});

async function answer(request: HelperRequest): Promise<HelperAnswer> {
  const { path } = request;
  switch (request.kind) {
    case 'read':
      return { base64: (await SYSTEM_PROBE.read(path)).toString('base64') };
    case 'createNew':
      await SYSTEM_PROBE.createNew(path);
      return {};
    case 'write':
      await SYSTEM_PROBE.writeAt(path, Buffer.from(request.base64, 'base64'), request.offsetBytes);
      return {};
  }
}
