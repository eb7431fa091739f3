declare module "jsfive" {
  /** An HDF5 file in memory, read-only. */
  export class File {
    constructor(buffer: ArrayBufferLike, name: string);
  }
}
