/** Files that somebody dropped or chose, folders opened. */
import type { FileHandle } from '@cryolift/client/browser';

export interface FoundFile {
  readonly file: File;
  /** Its place below the folder that was given, that folder's name first; null for a file that was given itself. */
  readonly path: string | null;
  /** Finds it again after a reload, where the browser gives such handles. */
  readonly handle: FileHandle | null;
}

/** What Chromium has of the File System Access API and TypeScript's DOM does not know yet. */
declare global {
  interface DataTransferItem {
    getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
  }
  interface Window {
    showOpenFilePicker?(options: { multiple: boolean }): Promise<FileSystemFileHandle[]>;
    showDirectoryPicker?(): Promise<FileSystemDirectoryHandle>;
    showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
  }
}

/** To be called while the drop is told: afterwards its items are gone. */
export async function filesOfDrop(transfer: DataTransfer): Promise<FoundFile[]> {
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  const found = items.map(async (item) => {
    // Both have to be asked for at once.
    const file = item.getAsFile();
    const entry = item.webkitGetAsEntry();
    const handle = await item.getAsFileSystemHandle?.().catch(() => null);
    if (handle) return await filesOfHandle(handle, null);
    if (entry?.isDirectory) return await filesOfEntry(entry, null);
    return file ? [{ file, path: null, handle: null }] : [];
  });
  return (await Promise.all(found)).flat();
}

/** Null where the browser has no such dialog, or somebody closed it. */
export async function chooseFiles(): Promise<FoundFile[] | null> {
  const handles = await window.showOpenFilePicker?.({ multiple: true }).catch(() => []);
  if (!handles) return null;
  return (await Promise.all(handles.map((handle) => filesOfHandle(handle, null)))).flat();
}

/** Null where the browser has no such dialog. */
export async function chooseFolder(): Promise<FoundFile[] | null> {
  if (!window.showDirectoryPicker) return null;
  const folder = await window.showDirectoryPicker().catch(() => null);
  return folder ? await filesOfHandle(folder, null) : [];
}

/** Of an `<input type="file">`. */
export function filesOfInput(files: FileList): FoundFile[] {
  return [...files].map((file) => ({ file, path: file.webkitRelativePath || null, handle: null }));
}

/** @param folder the path of what it lies in; null for what was given itself. */
async function filesOfHandle(handle: FileSystemHandle, folder: string | null): Promise<FoundFile[]> {
  const path = folder === null ? handle.name : `${folder}/${handle.name}`;
  if (handle.kind === 'file') {
    const fileHandle = handle as FileSystemFileHandle;
    return [{ file: await fileHandle.getFile(), path: folder === null ? null : path, handle: fileHandle }];
  }
  const found: FoundFile[] = [];
  for await (const child of (handle as FileSystemDirectoryHandle).values()) {
    for (const each of await filesOfHandle(child, path)) found.push(each);
  }
  return found;
}

async function filesOfEntry(entry: FileSystemEntry, folder: string | null): Promise<FoundFile[]> {
  const path = folder === null ? entry.name : `${folder}/${entry.name}`;
  if (entry.isFile) {
    const { promise, resolve, reject } = Promise.withResolvers<File>();
    (entry as FileSystemFileEntry).file(resolve, reject);
    return [{ file: await promise, path, handle: null }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: FoundFile[] = [];
  for (;;) {
    const { promise, resolve, reject } = Promise.withResolvers<FileSystemEntry[]>();
    reader.readEntries(resolve, reject);
    // A hundred at a time, in Chromium.
    const children = await promise;
    if (children.length === 0) return found;
    for (const child of children) {
      for (const each of await filesOfEntry(child, path)) found.push(each);
    }
  }
}
