/** What a relocation cannot copy, because the source is at fault or the target cannot hold it. */

/** As `cryolift admin scrub` names them. */
export type FaultKind = 'damaged' | 'missing' | 'unreadable';

/** The bytes of a file at the source are not those that its record says. */
export class FileFault extends Error {
  readonly fault: FaultKind;

  constructor(fault: FaultKind, message: string) {
    super(message);
    this.fault = fault;
  }
}
