/** The file system of a shared folder does not do what the storage assumes. */
export class AssumptionFailed extends Error {}
