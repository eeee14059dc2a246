/** Ids for all servers of this process: each is greater than all before, also in the same millisecond. */
let given = 0;

export function newId(): string {
  const nth = (given++).toString(36).padStart(6, '0');
  return `${Date.now().toString(36).padStart(9, '0')}${nth}`;
}
