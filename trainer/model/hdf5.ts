// Reads the weights out of Keras's HDF5 files (a whole model or weights alone).
import { readFile } from "node:fs/promises";
import { UserError } from "@segnas/searchspace/errors.ts";
import { File } from "jsfive";
import type { NamedTensor } from "./safetensors.ts";

/** Of jsfive, which has no types of its own, what is used here. */
interface Group {
  keys: string[];
  get(path: string): Group | Dataset;
}
interface Dataset {
  shape: number[];
  dtype: string;
  value: number[];
}

/**
 * The float32 tensors by `<layer>/<weight>` as Keras names them ("Conv1/kernel"). Throws UserError naming the file
 * where it is not HDF5.
 */
export async function readHdf5(path: string): Promise<Map<string, NamedTensor>> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(`${path}: cannot be read (${error.code}); write the path of a Keras .h5 file`);
  });
  const tensors = new Map<string, NamedTensor>();
  try {
    const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    collect(new File(buffer, path) as unknown as Group, [], tensors);
  } catch (error) {
    throw new UserError(`${path}: is not a Keras .h5 file (${(error as Error).message})`);
  }
  return tensors;
}

/** A data set has the same properties, but its keys are undefined. */
const isGroup = (child: Group | Dataset): child is Group => Array.isArray((child as Group).keys);

/** Weights lie at `[model_weights/]<layer>/<layer>/<weight>:0`. */
function collect(group: Group, place: string[], tensors: Map<string, NamedTensor>): void {
  for (const key of group.keys) {
    const child = group.get(key);
    if (isGroup(child)) collect(child, [...place, key], tensors);
    else if (child.dtype === "<f4" && place.length > 0)
      tensors.set(`${place.at(-1)}/${key.replace(/:0$/, "")}`, {
        shape: child.shape,
        values: Float32Array.from(child.value),
      });
  }
}
