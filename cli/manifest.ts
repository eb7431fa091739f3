// Reads the manifest that a command was given: a file or standard input, with what the command line puts in
// its place, admitted as the cluster would admit it.
import { dirname, resolve } from "node:path";
import type { ArchitectureSearch } from "@segnas/operator/api/generated/architecturesearches.ts";
import { admit, parseManifest } from "@segnas/operator/api/validate.ts";
import { searchIn } from "@segnas/operator/local/source.ts";
import { resolvePolicy } from "@segnas/operator/policy/settings.ts";
import { isObject } from "@segnas/searchspace/fields.ts";
import { readInput } from "./input.ts";

export interface ManifestOptions {
  file: string;
  dataset?: string;
  startFrom?: string;
  maxTrials?: number;
  parallelism?: number;
}

/**
 * The search of a manifest, as the cluster would admit it. A relative path in the manifest is taken from the
 * manifest's folder, one on the command line from here. Throws UserError where the file cannot be read, holds no
 * ArchitectureSearch, or would be refused: with every cause.
 */
export async function readSearch(options: ManifestOptions): Promise<ArchitectureSearch> {
  const { file } = options;
  const { text, name } = await readInput(file, "give the manifest of an ArchitectureSearch");
  const written = parseManifest(text, name);
  const folder = file === "-" ? process.cwd() : dirname(resolve(file));
  const search = admit("ArchitectureSearch", withOptions(written, options, folder));
  resolvePolicy(search.spec.policy);
  return search;
}

/** The manifest with the command line's values and with paths from the root. What is malformed stays for the judge. */
function withOptions(manifest: object, options: ManifestOptions, folder: string): object {
  const { spec } = manifest as { spec?: unknown };
  if (!isObject(spec)) return manifest;
  const { dataset, training, startingPoints } = spec;
  const path = options.dataset === undefined ? undefined : resolve(options.dataset);
  return {
    ...manifest,
    spec: {
      ...spec,
      ...(options.maxTrials !== undefined && { maxTrials: options.maxTrials }),
      ...(options.parallelism !== undefined && { parallelism: options.parallelism }),
      ...(options.startFrom !== undefined && {
        startingPoints: withSearch(startingPoints, options.startFrom),
      }),
      ...(isObject(dataset) && { dataset: absolute(path ? { ...dataset, path } : dataset, folder) }),
      ...(isObject(training) &&
        isObject(training.encoder) && {
          training: { ...training, encoder: absolute(training.encoder, folder) },
        }),
    },
  };
}

/** Starting points that name the search in a folder, where they name none. Throws UserError where it holds none. */
function withSearch(startingPoints: unknown, folder: string): unknown {
  if (startingPoints !== undefined && !isObject(startingPoints)) return startingPoints;
  if (startingPoints?.search !== undefined) return startingPoints;
  return { ...startingPoints, search: searchIn(resolve(folder)) };
}

type Fields = Record<string, unknown>;

const absolute = (fields: Fields, folder: string): Fields =>
  typeof fields.path === "string" ? { ...fields, path: resolve(folder, fields.path) } : fields;
