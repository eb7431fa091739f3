// What a command is to read: a file, or standard input for "-".
import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { UserError } from "@segnas/searchspace/errors.ts";

/** A text, and where it came from in words. */
export interface Input {
  text: string;
  name: string;
}

/** Reads a file, or standard input for "-". Throws UserError where it cannot be read, which ends in what is `wanted`. */
export async function readInput(file: string, wanted: string): Promise<Input> {
  const name = file === "-" ? "standard input" : file;
  try {
    return { name, text: file === "-" ? await text(process.stdin) : await readFile(file, "utf8") };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new UserError(`${name}: there is no such file; ${wanted}`);
    if (code === "EISDIR") throw new UserError(`${name} is a folder; ${wanted}`);
    throw new UserError(`${name} cannot be read (${code}); ${wanted}`);
  }
}
