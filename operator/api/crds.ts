// The CustomResourceDefinitions of searches and trials in crds/, read once: the one source of types, defaults and
// verdicts. The third, of SearchRecords, follows the types of the ledger (test/unit/api/records.test.ts sees to it).
import { readFileSync } from "node:fs";
import { load } from "js-yaml";

/** A validation rule in CEL (x-kubernetes-validations). */
export interface Rule {
  rule: string;
  message: string;
  reason?: string;
  fieldPath?: string;
}

/** A structural schema: the part of JSON Schema that CustomResourceDefinitions may use, as far as crds/ does. */
export interface Schema {
  description?: string;
  type?: "object" | "array" | "string" | "integer" | "boolean";
  format?: string;
  default?: unknown;
  enum?: (string | number)[];
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  maxProperties?: number;
  required?: string[];
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  items?: Schema;
  anyOf?: Schema[];
  "x-kubernetes-preserve-unknown-fields"?: boolean;
  "x-kubernetes-int-or-string"?: boolean;
  "x-kubernetes-list-type"?: "atomic" | "map";
  "x-kubernetes-list-map-keys"?: string[];
  "x-kubernetes-validations"?: Rule[];
}

export interface Definition {
  kind: string;
  plural: string;
  apiVersion: string;
  schema: Schema;
}

interface CustomResourceDefinition {
  spec: {
    group: string;
    names: { kind: string; plural: string };
    versions: { name: string; schema: { openAPIV3Schema: Schema } }[];
  };
}

function read(plural: string): Definition {
  const file = new URL(`../../crds/${plural}.yaml`, import.meta.url);
  const { spec } = load(readFileSync(file, "utf8")) as CustomResourceDefinition;
  const version = spec.versions[0]!;
  return {
    kind: spec.names.kind,
    plural,
    apiVersion: `${spec.group}/${version.name}`,
    schema: version.schema.openAPIV3Schema,
  };
}

export const definitions = {
  ArchitectureSearch: read("architecturesearches"),
  CandidateTrial: read("candidatetrials"),
};

export type Kind = keyof typeof definitions;
