/**
 * The name of the Web Lock that a tab holds while it uploads a file. Other tabs do not take over an upload whose lock is
 * held; two tabs that upload the same file run one after the other.
 */
export function uploadLock(subjectKey: string, key: string): string {
  return `cryolift-upload ${subjectKey} ${key}`;
}
