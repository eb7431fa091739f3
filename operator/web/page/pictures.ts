// What a trial's network sees: the pictures that it left among its artifacts.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PicturesDocument } from "./documents.ts";

type Picture = PicturesDocument["pictures"][number];

const PICTURES = 4;

/**
 * The first pictures of `<folder>/pictures`, with what their colours mean. Those that are not there, or not whole, are
 * left out.
 */
export async function readPictures(trialFolder: string): Promise<PicturesDocument> {
  const folder = join(trialFolder, "pictures");
  const files = await readdir(folder).catch(() => []);
  const numbers = files
    .flatMap((file) => /^(\d+)-image\.png$/.exec(file)?.[1] ?? [])
    .sort((a, b) => Number(a) - Number(b))
    .slice(0, PICTURES);
  const found = await Promise.all(numbers.map((number) => readPicture(folder, number)));
  const pictures = found.filter((picture) => picture !== undefined);
  if (pictures.length === 0) return { pictures, legend: [], none: "It has left no pictures." };
  return { pictures, legend: await readLegend(join(folder, "classes.json")) };
}

async function readPicture(folder: string, number: string): Promise<Picture | undefined> {
  const read = async (what: string) =>
    `data:image/png;base64,${(await readFile(join(folder, `${number}-${what}.png`))).toString("base64")}`;
  try {
    const [image, truth, prediction] = await Promise.all([read("image"), read("truth"), read("prediction")]);
    return { image, truth, prediction };
  } catch {
    return undefined;
  }
}

async function readLegend(file: string): Promise<PicturesDocument["legend"]> {
  try {
    const classes: unknown = JSON.parse(await readFile(file, "utf8"));
    if (!Array.isArray(classes)) return [];
    return classes.flatMap((it) =>
      typeof it?.name === "string" && typeof it.color === "string"
        ? [{ name: it.name, color: it.color }]
        : [],
    );
  } catch {
    return [];
  }
}
