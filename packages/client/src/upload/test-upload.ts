/** The fixture of upload tests: a server, a resume store and a file, new for each test. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mock } from 'node:test';
import { SourceError } from '../failures.ts';
import { lost, PART_BYTES, type Tamper, TestResumeStore, TestServer, TestSource } from '../test-server.ts';
import type { UploadOptions } from './upload-options.ts';
import { Uploader } from './uploader.ts';

/** Five parts and a half. */
export const BYTES = randomBytes(5 * PART_BYTES + 500);

export let server: TestServer;
export let resumeStore: TestResumeStore;
export let source: TestSource;

export function reset(): void {
  server = new TestServer();
  resumeStore = new TestResumeStore();
  replaceSource(Buffer.from(BYTES));
  mock.restoreAll();
  // Retries have no delay.
  mock.method(Math, 'random', () => 0);
}

/** Another file at the same path. */
export function replaceSource(bytes: Uint8Array, modifiedMs?: number, identity?: string | null): void {
  source = new TestSource(bytes, modifiedMs, identity);
}

export function createUploader(getToken = async (_renew: boolean) => 'token', parallel = 2): Uploader {
  return new Uploader({ server: 'http://test', transport: server, resumeStore, getToken, parallel });
}

export function upload(options: UploadOptions = {}) {
  return createUploader().upload(source, options);
}

/** Changes the first request of the kind `call`, once. */
export function once(call: string, tamper: Tamper): void {
  server.tamper = (request, answer) => {
    if (server.calls.at(-1) !== call) return answer();
    server.tamper = (_request, plain) => plain();
    return tamper(request, answer);
  };
}

/** Uploads until `count` parts are stored, and is then interrupted. */
export async function uploadSome(count: number): Promise<void> {
  const controller = new AbortController();
  const stopped = new Error('interrupted');
  server.tamper = (request, answer) => {
    if (request.method === 'PUT' && server.upload.parts.size >= count) {
      controller.abort(stopped);
      lost();
    }
    return answer();
  };
  await assert.rejects(createUploader(undefined, 1).upload(source, { signal: controller.signal }), stopped);
  assert.equal(server.upload.parts.size, count);
  server.tamper = (_request, answer) => answer();
  server.calls.length = 0;
  source.reads.length = 0;
}

export function assertStored(): void {
  assert.equal(server.upload.status, 'completed');
  const parts = [...server.upload.parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes);
  assert.ok(Buffer.concat(parts).equals(source.bytes));
}

export function isChanged(error: unknown): boolean {
  return error instanceof SourceError && error.code === 'source_changed';
}
