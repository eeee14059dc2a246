/** Lists dropped or chosen files, and the files in dropped or chosen folders. */
import type { FileHandle } from '@cryolift/client/browser';

/** Files of a folder that are opened at the same time. */
const BATCH_FILES = 100;

export interface FoundFile {
  readonly file: File;
  /** The path in the added folder, starting with the name of that folder; null for a file that was added itself. */
  readonly path: string | null;
  /** Opens the file again after a reload; null when the browser has no handles. */
  readonly handle: FileHandle | null;
}

/** Parts of the File System Access API that Chromium has and TypeScript's DOM types do not have. */
declare global {
  interface DataTransferItem {
    getAsFileSystemHandle?(): Promise<FileSystemHandle | null>;
  }
  interface Window {
    showOpenFilePicker?(options: { multiple: boolean }): Promise<FileSystemFileHandle[]>;
    showDirectoryPicker?(options?: { mode: 'readwrite' }): Promise<FileSystemDirectoryHandle>;
    showSaveFilePicker?(options: { suggestedName: string }): Promise<FileSystemFileHandle>;
  }
}

export interface Found {
  readonly files: readonly FoundFile[];
  /** Files and folders that the browser could not read. */
  readonly unreadable: number;
}

/** Call it in the handler of the drop event: the items are empty afterwards. */
export async function filesOfDrop(transfer: DataTransfer): Promise<Found> {
  const lister = new Lister();
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  const dropped = items.map(async (item) => {
    // All three must be called before the first await.
    const file = item.getAsFile();
    const entry = item.webkitGetAsEntry();
    const handle = await item.getAsFileSystemHandle?.().catch(() => null);
    return { file, entry, handle };
  });
  for (const { file, entry, handle } of await Promise.all(dropped)) {
    if (handle) await lister.add([itemOfHandle(handle, null)]);
    else if (entry?.isDirectory) await lister.add([itemOfEntry(entry, null)]);
    else if (file) lister.files.push({ file, path: null, handle: null });
  }
  return lister;
}

/** Null when the browser has no such dialog. Resolves to null when the user closed the dialog. */
export function chooseFiles(): Promise<Found | null> | null {
  return window.showOpenFilePicker?.({ multiple: true }).then(openHandles, () => null) ?? null;
}

/** Null when the browser has no such dialog. Resolves to null when the user closed the dialog. */
export function chooseFolder(): Promise<Found | null> | null {
  return (
    window.showDirectoryPicker?.().then(
      (folder) => openHandles([folder]),
      () => null,
    ) ?? null
  );
}

/** The files of an `<input type="file">`. */
export function filesOfInput(files: FileList): Found {
  return {
    files: Array.from(files, (file) => ({ file, path: file.webkitRelativePath || null, handle: null })),
    unreadable: 0,
  };
}

async function openHandles(handles: readonly FileSystemHandle[]): Promise<Found> {
  const lister = new Lister();
  await lister.add(handles.map((handle) => itemOfHandle(handle, null)));
  return lister;
}

/** A file or a folder, from a handle or from an entry. */
interface Item {
  readonly isFile: boolean;
  /** For files. */
  open(): Promise<FoundFile>;
  /** For folders: the items in batches. */
  list(): AsyncIterable<readonly Item[]>;
}

/** Counts files and folders that cannot be read, and lists the others. */
class Lister implements Found {
  readonly files: FoundFile[] = [];
  unreadable = 0;

  async add(items: readonly Item[]): Promise<void> {
    const opened = items.map((item) => (item.isFile ? item.open().catch(() => null) : null));
    for (const [index, item] of items.entries()) {
      const found = await opened[index];
      if (found) this.files.push(found);
      else if (item.isFile) this.unreadable++;
      else await this.#addFolder(item);
    }
  }

  async #addFolder(folder: Item): Promise<void> {
    try {
      for await (const items of folder.list()) await this.add(items);
    } catch {
      this.unreadable++;
    }
  }
}

/** @param folder the path of the folder that contains the item; null for an item that was added itself. */
function itemOfHandle(handle: FileSystemHandle, folder: string | null): Item {
  const path = folder === null ? handle.name : `${folder}/${handle.name}`;
  const fileHandle = handle as FileSystemFileHandle;
  return {
    isFile: handle.kind === 'file',
    open: async () => ({
      file: await fileHandle.getFile(),
      path: folder === null ? null : path,
      handle: fileHandle,
    }),
    async *list() {
      let items: Item[] = [];
      for await (const child of (handle as FileSystemDirectoryHandle).values()) {
        items.push(itemOfHandle(child, path));
        if (items.length < BATCH_FILES) continue;
        yield items;
        items = [];
      }
      yield items;
    },
  };
}

/** For browsers without handles. */
function itemOfEntry(entry: FileSystemEntry, folder: string | null): Item {
  const path = folder === null ? entry.name : `${folder}/${entry.name}`;
  return {
    isFile: entry.isFile,
    open: async () => {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      return { file, path, handle: null };
    },
    async *list() {
      const reader = (entry as FileSystemDirectoryEntry).createReader();
      for (;;) {
        // Chromium returns a hundred at a time, and an empty list at the end.
        const children = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
        if (children.length === 0) return;
        yield children.map((child) => itemOfEntry(child, path));
      }
    },
  };
}
