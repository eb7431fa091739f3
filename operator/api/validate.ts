// The verdict that a cluster gives on an object, without a cluster: what searches on one machine are judged by.
// test/unit/api/verdicts.json holds a real API server's verdicts, which this gives too.
import { UserError } from "@segnas/searchspace/errors.ts";
import { isObject } from "@segnas/searchspace/fields.ts";
import { boolYaml11Tag, CORE_SCHEMA, intYaml11Tag, loadAll, mergeTag, YAMLException } from "js-yaml";
import { type Definition, definitions, type Kind, type Schema } from "./crds.ts";
import type { ArchitectureSearch } from "./generated/architecturesearches.ts";
import type { CandidateTrial } from "./generated/candidatetrials.ts";
import { ruleCauses } from "./rules.ts";
import { duplicates, unknownFields, violations, withDefaults } from "./structural.ts";

/** The type of each kind's objects, once admitted. */
export interface Objects {
  ArchitectureSearch: ArchitectureSearch;
  CandidateTrial: CandidateTrial;
}

const text: Schema = { type: "string" };
const anything: Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
const texts: Schema = { type: "object", additionalProperties: text };
/** What a person may write in metadata, and what a store adds. */
const metadata: Schema = {
  type: "object",
  properties: {
    ...{ name: text, namespace: text, labels: texts, annotations: texts },
    ...{ uid: text, resourceVersion: text, creationTimestamp: text, deletionTimestamp: text },
    generation: { type: "integer" },
    finalizers: { type: "array", items: text },
    ownerReferences: { type: "array", items: anything },
    managedFields: { type: "array", items: anything },
  },
};
function withMetadata({ schema }: Definition): Schema {
  return { ...schema, properties: { ...schema.properties, metadata } };
}
const schemas = {
  ArchitectureSearch: withMetadata(definitions.ArchitectureSearch),
  CandidateTrial: withMetadata(definitions.CandidateTrial),
};

/** Real numbers are strings in the API, which is easily forgotten. */
const unquoted = /must be of type string: "(number|integer)"$/;

/**
 * Judges an object that is to be made, or, with `old` (an admitted object), to take the place of that one.
 * Status is not taken from it: it is the old object's, or none.
 * Labels and annotations are judged by type alone, not for their characters.
 * @returns a copy with the schema's defaults
 * @throws UserError that lists every cause, in the API server's words
 */
export function admit<K extends Kind>(kind: K, object: unknown, old?: Objects[K]): Objects[K] {
  const { admitted, causes } = judge(kind, object, old);
  if (causes.length === 0) return admitted as Objects[K];
  const name = isObject(object) && isObject(object.metadata) ? ` "${object.metadata.name ?? ""}"` : "";
  const hinted = causes.map((cause) => (unquoted.test(cause) ? `${cause} (write it in quotes)` : cause));
  const list = hinted.length === 1 ? hinted[0] : hinted.map((cause) => `\n* ${cause}`).join("");
  throw new UserError(`The ${kind}${name} is invalid: ${list}`);
}

/** The admitted object, and the causes of refusal if there are any. */
export function judge(kind: Kind, object: unknown, old?: object): { admitted: unknown; causes: string[] } {
  const schema = schemas[kind];
  const refused = (...causes: string[]) => ({ admitted: undefined, causes });
  if (!isObject(object)) return refused(`it must be an object with apiVersion, kind, metadata and spec`);
  const { apiVersion } = definitions[kind];
  if (object.apiVersion !== apiVersion) return refused(wrong("apiVersion", object.apiVersion, apiVersion));
  if (object.kind !== kind) return refused(wrong("kind", object.kind, kind));
  const unknown = unknownFields(object, schema);
  if (unknown.length > 0) return refused(...unknown.map((path) => `unknown field "${path}"`));

  const { status: _, ...own } = withDefaults(object, schema) as Record<string, unknown>;
  const status = old && "status" in old ? { status: old.status } : {};
  const admitted = { ...own, ...status };
  const found = violations(admitted, schema);
  const named = isObject(own.metadata) ? nameCauses(own.metadata.name) : nameCauses(undefined);
  const causes = [...named, ...found.map(({ cause }) => cause), ...duplicates(admitted, schema)];
  const blocked =
    found.some(({ blocks }) => blocks) || typeof (own.metadata as { name?: unknown })?.name !== "string";
  return { admitted, causes: blocked ? causes : [...causes, ...ruleCauses(admitted, old, schema)] };
}

function wrong(field: string, value: unknown, right: string): string {
  if (value === undefined) return `${field}: Required value: must be ${right}`;
  return `${field}: Invalid value: ${JSON.stringify(value)}: must be ${right}`;
}

/** What is wrong with a name as a DNS-1123 subdomain, as all names of objects are. */
function nameCauses(name: unknown): string[] {
  if (name === undefined || name === "")
    return ["metadata.name: Required value: name or generateName is required"];
  if (typeof name !== "string") return [];
  const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
  const subdomain = `${label}(\\.${label})*`;
  const invalid = `metadata.name: Invalid value: ${JSON.stringify(name)}: `;
  return [
    ...(name.length > 253 ? [`${invalid}must be no more than 253 characters`] : []),
    ...(new RegExp(`^${subdomain}$`).test(name)
      ? []
      : [
          `${invalid}a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${subdomain}')`,
        ]),
  ];
}

// As kubectl reads it: yes and off are truth values, 010 is 8, << merges; dates are strings.
const yaml = CORE_SCHEMA.withTags(mergeTag, boolYaml11Tag, intYaml11Tag);

/**
 * The one ArchitectureSearch in a YAML or JSON file, whatever else it holds.
 * @param text the file's contents
 * @param file the file's name, for messages
 * @throws UserError where the file is not YAML, is empty, or holds none or several
 */
export function parseManifest(text: string, file: string): object {
  let documents: unknown[];
  try {
    documents = loadAll(text, { schema: yaml }).filter(
      (document) => document !== null && document !== undefined,
    );
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    const { mark, reason } = error;
    throw new UserError(
      `${file}${mark ? `:${mark.line + 1}:${mark.column + 1}` : ""}: not valid YAML: ${reason}`,
    );
  }
  if (documents.length === 0) throw new UserError(`${file} is empty: it must hold an ArchitectureSearch`);
  const searches = documents.filter(
    (document) => isObject(document) && document.kind === "ArchitectureSearch",
  );
  if (searches.length > 1)
    throw new UserError(
      `${file} holds ${searches.length} objects of kind ArchitectureSearch: it must hold one`,
    );
  if (searches.length === 1) return searches[0] as object;
  const kinds = documents.map((document) =>
    isObject(document) && document.kind ? `${document.kind}` : "no kind",
  );
  throw new UserError(`${file} holds no object of kind ArchitectureSearch, but: ${kinds.join(", ")}`);
}
