/** Files that somebody dropped or chose, folders opened. */
import type { FileHandle } from '@cryolift/client/browser';

/** Files of a folder that are opened at the same time, where the browser does not say how many. */
const AT_A_TIME = 100;

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

export interface Found {
  readonly files: readonly FoundFile[];
  /** Files and folders that the browser could not read. */
  readonly unreadable: number;
}

/** To be called while the drop is told: afterwards its items are gone. */
export async function filesOfDrop(transfer: DataTransfer): Promise<Found> {
  const finder = new Finder();
  const items = [...transfer.items].filter(({ kind }) => kind === 'file');
  const given = items.map(async (item) => {
    // Both have to be asked for at once.
    const file = item.getAsFile();
    const entry = item.webkitGetAsEntry();
    const handle = await item.getAsFileSystemHandle?.().catch(() => null);
    return { file, entry, handle };
  });
  for (const { file, entry, handle } of await Promise.all(given)) {
    if (handle) await finder.add([itemOfHandle(handle, null)]);
    else if (entry?.isDirectory) await finder.add([itemOfEntry(entry, null)]);
    else if (file) finder.files.push({ file, path: null, handle: null });
  }
  return finder;
}

/** Null where the browser has no such dialog. It resolves to null when somebody closed it. */
export function chooseFiles(): Promise<Found | null> | null {
  return window.showOpenFilePicker?.({ multiple: true }).then(openHandles, () => null) ?? null;
}

/** Null where the browser has no such dialog. It resolves to null when somebody closed it. */
export function chooseFolder(): Promise<Found | null> | null {
  return (
    window.showDirectoryPicker?.().then(
      (folder) => openHandles([folder]),
      () => null,
    ) ?? null
  );
}

/** Of an `<input type="file">`. */
export function filesOfInput(files: FileList): Found {
  return {
    files: Array.from(files, (file) => ({ file, path: file.webkitRelativePath || null, handle: null })),
    unreadable: 0,
  };
}

async function openHandles(handles: readonly FileSystemHandle[]): Promise<Found> {
  const finder = new Finder();
  await finder.add(handles.map((handle) => itemOfHandle(handle, null)));
  return finder;
}

/** What lies in a folder, however the browser gives it. */
interface Item {
  readonly isFile: boolean;
  /** Of a file. */
  open(): Promise<FoundFile>;
  /** Of a folder, some at a time. */
  list(): AsyncIterable<readonly Item[]>;
}

/** One file that is gone or locked does not take the others of its folder with it. */
class Finder implements Found {
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

/** @param folder the path of what it lies in; null for what was given itself. */
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
        if (items.length < AT_A_TIME) continue;
        yield items;
        items = [];
      }
      yield items;
    },
  };
}

/** Where the browser has no handles. */
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
        // A hundred at a time, in Chromium.
        const children = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
        if (children.length === 0) return;
        yield children.map((child) => itemOfEntry(child, path));
      }
    },
  };
}
