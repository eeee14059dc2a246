/**
 * The protocol that appends to an upload. `tus`: tus 1.0. `resumable`: IETF resumable uploads. `parallel`: these, with
 * appends in parallel.
 */
export type AppendProtocol = 'tus' | 'resumable' | 'parallel';
