// The report's edge: reads the best trial's pictures, writes report.html in one step.
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Picture, ReportData } from "./report.ts";
import { ranked, type SearchSummary } from "./report-summary.ts";

const PICTURES = 4;

/**
 * The report's data: the summary and the pictures that the best trial left in `<artifacts>/<trial>/pictures`.
 * Pictures that are not there, or not whole, are left out.
 * @param artifacts undefined where there is no such folder
 */
export async function gatherReport(
  search: SearchSummary,
  artifacts: string | undefined,
  now: Date,
): Promise<ReportData> {
  const written = now.toISOString();
  const best = ranked(search.trials)[0];
  if (!best || artifacts === undefined) return { search, pictures: [], legend: [], written };
  const folder = join(artifacts, best.name, "pictures");
  const files = await readdir(folder).catch(() => []);
  const numbers = files
    .flatMap((file) => /^(\d+)-image\.png$/.exec(file)?.[1] ?? [])
    .sort((a, b) => Number(a) - Number(b))
    .slice(0, PICTURES);
  const pictures = await Promise.all(numbers.map((number) => readPicture(folder, number)));
  return {
    search,
    pictures: pictures.filter((picture) => picture !== undefined),
    legend: await readLegend(join(folder, "classes.json")),
    written,
  };
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

async function readLegend(file: string): Promise<ReportData["legend"]> {
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

/** The report as one page of HTML. Arguments as gatherReport's. */
export async function reportPage(...gathered: Parameters<typeof gatherReport>): Promise<string> {
  const { renderReport } = await import("./report.ts"); // the chart library takes a while to load
  return renderReport(await gatherReport(...gathered));
}

/** Writes the report; a reader sees the old file or the new one, never half of one. */
export async function writeReport(file: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const part = `${file}.${process.pid}.part`;
  await writeFile(part, content);
  await rename(part, file);
}
