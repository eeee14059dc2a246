/** What the SDK needs in Node: files, connections, memory. */
export { type DownloadOptions, download, hashPath } from './download.ts';
export { defaultStateFolder, FileMemory } from './file-memory.ts';
export { FileSource } from './file-source.ts';
export { HttpTransport, type HttpTransportOptions } from './http-transport.ts';
