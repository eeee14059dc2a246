/** Every answer of the contract is held to the OpenAPI document: its status, its code, its type, its fields. */
import assert from 'node:assert/strict';
import { checkForm, isSamePlace } from '../fuzz/checks.ts';
import { type Operation, readOperations } from '../fuzz/document.ts';
import type { Answer } from './answer.ts';

/** All servers of a test have the same one. */
let known: readonly Operation[] | undefined;

/** @returns undefined when the server has gone away meanwhile: the next that answers is asked. */
export async function readOnce(url: string): Promise<readonly Operation[] | undefined> {
  known ??= await readOperations(url).catch(() => undefined);
  return known;
}

/** Calls that the document does not describe are left alone. A HEAD is answered as its GET, without the body. */
export function assertDocumented(operations: readonly Operation[], method: string, path: string, answer: Answer): void {
  const named = (each: Operation, name: string) => each.method === name && isSamePlace(each.path, path);
  const exact = operations.find((each) => named(each, method));
  const operation = exact ?? (method === 'HEAD' ? operations.find((each) => named(each, 'GET')) : undefined);
  if (!operation) return;
  const fault = checkForm({ operation: { ...operation, method }, path }, answer);
  assert.equal(fault, null, `${method} ${path}: ${fault}`);
}
