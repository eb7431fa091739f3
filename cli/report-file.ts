// Writes a report to disk.
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** A reader sees the old file or the new one, never half of one. */
export async function writeReport(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const part = `${file}.${process.pid}.part`;
  await writeFile(part, content);
  await rename(part, file);
}
