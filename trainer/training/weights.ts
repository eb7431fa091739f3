// The weights of classes in the loss: those given, or balanced by how often each class occurs in the training labels,
// which the trials of a search count once between them.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { UserError } from "@segnas/searchspace/errors.ts";
import type { Dataset, Split } from "../data/dataset.ts";
import { countLabels, type Frequencies, medianFrequencyWeights, noFrequencies } from "../data/frequencies.ts";
import { writeWhole } from "../whole-file.ts";
import type { Training } from "./configuration.ts";
import type { Sharing } from "./prepared.ts";
import type { Session } from "./session.ts";
import { sharedValue } from "./shared.ts";

/** Throws UserError where weights are given, but not one for each class. */
export function checkClassWeights({ classWeights }: Training, { classes }: Dataset): void {
  if (classWeights.type === "Given" && classWeights.weights.length !== classes)
    throw new UserError(
      `training.classWeights.weights: has ${classWeights.weights.length} for ${classes} classes, write one for each`,
    );
}

/** The weight of each class; undefined: all weigh 1. */
export async function obtainClassWeights(
  { classWeights }: Training,
  { training, classes }: Dataset,
  { cache, session }: Sharing,
): Promise<readonly number[] | undefined> {
  if (classWeights.type === "None") return undefined;
  if (classWeights.type === "Given") return classWeights.weights;
  return medianFrequencyWeights(await sharedFrequencies(training, classes, cache, session));
}

async function sharedFrequencies(
  split: Split,
  classes: number,
  cache: string,
  session: Session,
): Promise<Frequencies> {
  const key = createHash("sha256")
    .update(JSON.stringify(classes))
    .update(await split.hash())
    .digest("hex")
    .slice(0, 32);
  const path = join(cache, `frequencies-${key}.json`);
  return sharedValue(
    path,
    () => readFrequencies(path),
    () => countAll(split, classes, session),
    (frequencies) => writeFrequencies(path, frequencies),
    session,
  );
}

async function countAll(split: Split, classes: number, session: Session): Promise<Frequencies> {
  const frequencies = noFrequencies(classes);
  for (const index of split.names.keys()) {
    countLabels(frequencies, (await split.read(index)).label);
    await session.advance(0);
  }
  return frequencies;
}

const digest = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Undefined where the file is missing or damaged. */
async function readFrequencies(path: string): Promise<Frequencies | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  const [json = "", sum] = text.split("\n");
  return sum === digest(json) ? (JSON.parse(json) as Frequencies) : undefined;
}

async function writeFrequencies(path: string, frequencies: Frequencies): Promise<void> {
  const json = JSON.stringify(frequencies);
  await writeWhole(path, `${json}\n${digest(json)}`);
}
