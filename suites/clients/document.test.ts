/** The OpenAPI document as a generator of clients wants it, and as true as it can be checked. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { open } from '../contract/upload.ts';
import { callAs } from '../contract/wire.ts';
import { type OpenApiDocument, type Operation, readOperations } from '../fuzz/document.ts';
import { startServer } from '../server-under-test.ts';

const server = await startServer();
after(() => server.discard());
const text = await (await fetch(`${server.url}/openapi.json`)).text();
const operations = await readOperations(server.url);

function operationOf(id: string): Operation {
  const found = operations.find(({ operationId }) => operationId === id);
  assert.ok(found, `the document has no operation ${id}`);
  return found;
}

test('document: a linter of OpenAPI 3.1 has nothing to say', async () => {
  const config = await createConfig({ extends: ['recommended'] });
  const problems = await lintFromString({ source: text, config, absoluteRef: 'openapi.json' });
  assert.deepEqual(
    problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`),
    [],
  );
});

test('document: every operation has an id of its own and a tag of the list', () => {
  const { tags } = JSON.parse(text) as OpenApiDocument;
  const ids = operations.map(({ operationId }) => operationId);
  for (const id of ids) assert.match(id, /^[A-Za-z_]+$/);
  assert.equal(new Set(ids).size, ids.length);
  for (const { operationId, tags: own } of operations) {
    assert.equal(own.length, 1, operationId);
    assert.ok(
      tags.some(({ name }) => name === own[0]),
      operationId,
    );
  }
});

test('document: bodies of requests and answers are shared schemas', () => {
  const { paths, components } = JSON.parse(text) as OpenApiDocument;
  for (const name of ['Upload', 'File', 'Error', 'PartReceipt', 'InitRequest'])
    assert.ok(components.schemas[name], name);
  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    for (const each of [operation.requestBody, ...Object.values(operation.responses)]) {
      const schema = each?.content?.['application/json']?.schema as { $ref?: string } | undefined;
      if (schema) assert.match(schema.$ref ?? '', /^#\/components\/schemas\/\w+$/, operation.operationId);
    }
  }
});

test('document: parameters of paths are integers where the server takes integers, and texts that are not empty', () => {
  for (const { operationId, path, parameters = [] } of operations) {
    const own = parameters.filter((each) => each.in === 'path');
    assert.deepEqual(own.map(({ name }) => `{${name}}`).sort(), (path.match(/\{\w+\}/g) ?? []).sort(), operationId);
    for (const { name, schema, required } of own) {
      assert.equal(required, true);
      if (name === 'idx' || name === 'seq') assert.equal(schema.type, 'integer', operationId);
      else assert.deepEqual([schema.type, schema.minLength], ['string', 1], operationId);
    }
  }
  const init = operationOf('initUpload').requestBody?.content['application/json']?.schema;
  assert.equal(init?.properties?.filename?.minLength, 1);
});

test('document: a body is required exactly where the server refuses a call without one', async () => {
  const admin = callAs(server, { sub: 'root', scope: 'admin' });
  const { upload_id } = await open(admin);
  for (const { operationId, method, path, requestBody } of operations) {
    if (!requestBody) continue;
    const answer = await admin(
      method,
      path.replace('{upload_id}', upload_id).replace('{idx}', '0').replace('{file_id}', 'none'),
    );
    const isMissed = answer.status === 400 || answer.status === 411;
    assert.equal(isMissed, requestBody.required, `${operationId}: ${answer.status} ${answer.body}`);
  }
});

/** What a call reads beside Authorization, and what its successes carry beside X-Request-Id. */
const HEADERS: Readonly<
  Record<string, readonly [read: readonly string[], answered: Readonly<Record<string, string[]>>]>
> = {
  initUpload: [['Idempotency-Key'], { 200: ['Accept-Encoding', 'Location'], 201: ['Accept-Encoding', 'Location'] }],
  putPart: [
    ['Content-Digest', 'Content-Encoding', 'Unencoded-Digest', 'Upload-Offset'],
    { 200: ['Accept-Encoding'], 201: ['Accept-Encoding'] },
  ],
  completeUpload: [[], { 200: [], 202: ['Retry-After'] }],
  copyFile: [[], { 200: ['Location'], 201: ['Location'], 202: ['Location', 'Retry-After'] }],
  readFile: [
    ['If-Match', 'If-None-Match', 'If-Modified-Since', 'If-Unmodified-Since', 'Range', 'If-Range'],
    {
      200: ['ETag', 'Last-Modified', 'Accept-Ranges', 'Repr-Digest', 'Content-Disposition'],
      206: ['ETag', 'Last-Modified', 'Accept-Ranges', 'Repr-Digest', 'Content-Disposition', 'Content-Range'],
      304: ['ETag', 'Last-Modified', 'Accept-Ranges', 'Repr-Digest', 'Content-Disposition'],
    },
  ],
  getFilePreview: [
    ['If-Match', 'If-None-Match', 'If-Modified-Since', 'If-Unmodified-Since'],
    { 200: ['ETag', 'Last-Modified'], 304: ['ETag', 'Last-Modified'] },
  ],
  streamEvents: [['last-event-id'], { 200: [] }],
  startSweep: [[], { 200: [], 202: ['Retry-After'] }],
};

test('document: headers that calls read and answer with', () => {
  for (const [id, [read, answered]] of Object.entries(HEADERS)) {
    const { parameters = [], responses } = operationOf(id);
    assert.deepEqual(
      parameters.filter((each) => each.in === 'header').map(({ name }) => name),
      read,
      id,
    );
    for (const [status, names] of Object.entries(answered)) {
      assert.deepEqual(Object.keys(responses[status]?.headers ?? {}), ['X-Request-Id', ...names], `${id} ${status}`);
    }
  }
});

test('document: bytes of any type are binary', () => {
  const contents = operations.flatMap(({ requestBody, responses }) =>
    [requestBody, ...Object.values(responses)].flatMap((each) => Object.entries(each?.content ?? {})),
  );
  const types = new Set(contents.map(([type]) => type));
  for (const type of ['image/png', 'application/octet-stream']) assert.ok(types.has(type), type);
  for (const [type, { schema }] of contents) {
    const isText = type === 'application/json' || type.startsWith('text/');
    if (!isText) assert.deepEqual([schema.type, schema.format], ['string', 'binary'], type);
  }
});

test('document: links lead to calls with parameters that these have, out of fields that the answer has', () => {
  let count = 0;
  for (const { operationId, responses } of operations) {
    for (const { content, links = {} } of Object.values(responses)) {
      for (const [name, { operationId: target, parameters = {} }] of Object.entries(links)) {
        count++;
        const taken = operationOf(target).parameters?.map((each) => each.name) ?? [];
        for (const [parameter, expression] of Object.entries(parameters)) {
          assert.ok(taken.includes(parameter), `${operationId}: ${name} gives ${parameter}`);
          const field = /^\$response\.body#\/(\w+)$/.exec(expression)?.[1] ?? '';
          assert.ok(
            content?.['application/json']?.schema.properties?.[field],
            `${operationId}: ${name} takes ${field}`,
          );
        }
      }
    }
  }
  assert.ok(count > 50, `${count} links`);
});
