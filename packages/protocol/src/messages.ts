/** Every message of the HTTP contract as a schema: validation, types and OpenAPI come from here. A file per resource. */
export * from './messages/admin.ts';
export * from './messages/copies.ts';
export * from './messages/datasets.ts';
export * from './messages/error.ts';
export * from './messages/files.ts';
export * from './messages/library.ts';
export * from './messages/links.ts';
export { PageQuery } from './messages/lists.ts';
export * from './messages/mrc.ts';
export * from './messages/operations.ts';
export * from './messages/overview.ts';
export * from './messages/parts.ts';
export * from './messages/pushes.ts';
export * from './messages/receipts.ts';
export * from './messages/signing.ts';
export * from './messages/tiff.ts';
export * from './messages/uploads.ts';
export * from './messages/webhooks.ts';
