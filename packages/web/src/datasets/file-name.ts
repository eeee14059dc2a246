/** The name of a dataset as one of a file: without what a shell or a system treats differently. Never empty. */
export function fileNameOf(name: string): string {
  const safe = name.replace(/[^\p{L}\p{N}._]+/gu, '-').replace(/^[-.]+|[-.]+$/g, '');
  return safe === '' ? 'dataset' : safe;
}
