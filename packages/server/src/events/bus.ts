/**
 * Notifies listeners in this process of changes. The events are in the outbox; the bus only says that it has new ones.
 * `RemoteChanges` calls it for changes that other servers made.
 */

/** One upload, or all of an owner. */
export type Watch = { readonly uploadId: string } | { readonly owner: string };

export interface Listener {
  /** The outbox has new events. */
  notifyChange(): void;
  /** Parts of this upload were stored or invalidated. Called for every part, so it must be cheap. */
  noteParts(uploadId: string): void;
}

interface Changed {
  readonly owner: string;
  /** Null: not about an upload. */
  readonly uploadId: string | null;
}

export class Bus {
  readonly #ofUpload = new Map<string, Set<Listener>>();
  readonly #ofOwner = new Map<string, Set<Listener>>();
  readonly #ofAll = new Set<() => void>();

  /** @returns a function that removes the listener. */
  listen(watch: Watch, listener: Listener): () => void {
    const [index, key] = 'owner' in watch ? [this.#ofOwner, watch.owner] : [this.#ofUpload, watch.uploadId];
    const listeners = index.get(key) ?? new Set();
    index.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && index.get(key) === listeners) index.delete(key);
    };
  }

  /** Called when the outbox has new events of any owner. @returns a function that removes the listener. */
  listenToAll(notifyChange: () => void): () => void {
    this.#ofAll.add(notifyChange);
    return () => void this.#ofAll.delete(notifyChange);
  }

  /** To be called after the commit of a transaction that has written an event. */
  notifyChange(changed: Changed): void {
    for (const listener of this.#listenersOf(changed)) listener.notifyChange();
    for (const notifyChange of this.#ofAll) notifyChange();
  }

  noteParts(upload: { id: string; owner: string }): void {
    if (this.#ofUpload.size === 0 && this.#ofOwner.size === 0) return;
    for (const listener of this.#listenersOf({ owner: upload.owner, uploadId: upload.id }))
      listener.noteParts(upload.id);
  }

  /** What anybody listens to. */
  watched(): { uploadIds: string[]; owners: string[] } {
    return { uploadIds: [...this.#ofUpload.keys()], owners: [...this.#ofOwner.keys()] };
  }

  #listenersOf({ owner, uploadId }: Changed): Listener[] {
    const ofUpload = uploadId === null ? undefined : this.#ofUpload.get(uploadId);
    return [...(ofUpload ?? []), ...(this.#ofOwner.get(owner) ?? [])];
  }
}
