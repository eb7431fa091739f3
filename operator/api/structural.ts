// What a Kubernetes API server does with a custom resource and its structural schema before any rule is run:
// unknown fields, nulls and defaults, list types, and the schema itself, with its words for what is wrong.
import { isObject } from "@segnas/searchspace/fields.ts";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import type { Schema } from "./crds.ts";

type Fields = Record<string, unknown>;

/** `path` and a field's name, joined as the API server writes them. */
export function join(path: string, name: string): string {
  return path ? `${path}.${name}` : name;
}

function fieldSchema(schema: Schema, name: string): Schema | undefined {
  return schema.properties?.[name] ?? schema.additionalProperties;
}

/** Paths of the fields that the schema does not know, anywhere in a value; sorted. */
export function unknownFields(value: unknown, schema: Schema | undefined, path = ""): string[] {
  const preserved = schema?.["x-kubernetes-preserve-unknown-fields"];
  if (Array.isArray(value) && !preserved)
    return value.flatMap((item, i) => unknownFields(item, schema?.items, `${path}[${i}]`)).sort();
  if (!isObject(value)) return [];
  return Object.entries(value)
    .flatMap(([name, field]) => {
      const known = schema && fieldSchema(schema, name);
      if (known) return unknownFields(field, known, join(path, name));
      return preserved ? [] : [join(path, name)];
    })
    .sort();
}

/**
 * A copy with the schema's defaults. A field that is null counts as absent; defaults go into objects that are
 * there, or are defaults themselves. Fields keep their order, those of defaults follow.
 */
export function withDefaults(value: unknown, schema: Schema | undefined): unknown {
  if (Array.isArray(value)) return value.map((item) => withDefaults(item, schema?.items));
  if (!isObject(value)) return value;
  const given = Object.entries(value).filter(
    ([name, field]) => field !== null || !(schema && fieldSchema(schema, name)),
  );
  const absent = Object.entries(schema?.properties ?? {}).filter(
    ([name, field]) => field.default !== undefined && (value[name] ?? null) === null,
  );
  return Object.fromEntries(
    [...given, ...absent.map(([name, field]) => [name, structuredClone(field.default)] as const)].map(
      ([name, field]) => [name, withDefaults(field, schema && fieldSchema(schema, name))],
    ),
  );
}

/** Items of lists of type "map" whose key one earlier item has; the server names no third. */
export function duplicates(value: unknown, schema: Schema | undefined, path = ""): string[] {
  if (isObject(value)) {
    const fields = Object.entries(value);
    return fields.flatMap(([name, field]) =>
      duplicates(field, schema && fieldSchema(schema, name), join(path, name)),
    );
  }
  if (!Array.isArray(value)) return [];
  const key = schema?.["x-kubernetes-list-map-keys"]?.[0];
  const keys = value.map((item) => (key && isObject(item) ? item[key] : undefined));
  const own = keys.flatMap((name, i) =>
    name !== undefined && keys.slice(0, i).filter((earlier) => earlier === name).length === 1
      ? [`${path}[${i}]: Duplicate value: ${JSON.stringify({ [key!]: name })}`]
      : [],
  );
  return [...own, ...value.flatMap((item, i) => duplicates(item, schema?.items, `${path}[${i}]`))];
}

const ajv = new Ajv({
  ...{ allErrors: true, verbose: true, validateFormats: false },
  // Infinity, which YAML can write, is no number.
  ...{ strict: false, strictNumbers: true },
});
ajv.addKeyword({ keyword: "x-kubernetes-int-or-string", macro: () => ({ type: ["integer", "string"] }) });
const compiled = new Map<Schema, ValidateFunction>();

/** A cause of refusal; one that blocks keeps rules from being run: they could not rely on the fields' types. */
export interface Violation {
  cause: string;
  blocks: boolean;
}

/** What in a value breaks the schema, in the schema's order. */
export function violations(value: unknown, schema: Schema): Violation[] {
  let validate = compiled.get(schema);
  if (!validate) {
    validate = ajv.compile(schema);
    compiled.set(schema, validate);
  }
  if (validate(value)) return [];
  const errors = validate.errors!.filter(({ keyword }) => keyword !== "x-kubernetes-int-or-string");
  // The server looks for a pattern only in strings that are not too long.
  const tooLong = errors
    .filter(({ keyword }) => keyword === "maxLength")
    .map(({ instancePath }) => instancePath);
  return errors
    .filter(({ keyword, instancePath }) => keyword !== "pattern" || !tooLong.includes(instancePath))
    .map((error) => word(error, value));
}

/** An error of ajv in the API server's words (kube-openapi's validation errors). */
function word(error: ErrorObject, root: unknown): Violation {
  const { keyword, params, data } = error;
  const path = pathOf(error.instancePath, root);
  const invalid = (wrong: unknown, what: string): Violation => ({
    cause: `${path}: Invalid value: ${JSON.stringify(wrong)}: ${path} in body ${what}`,
    blocks: false,
  });
  switch (keyword) {
    case "required":
      return { cause: `${join(path, params.missingProperty)}: Required value`, blocks: true };
    case "type": {
      const wrong = JSON.stringify(typeName(data));
      const cause = `${path}: Invalid value: ${wrong}: ${path} in body must be of type ${params.type}: ${wrong}`;
      return { cause, blocks: true };
    }
    case "enum": {
      const allowed = params.allowedValues.map((one: unknown) => `"${one}"`).join(", ");
      return {
        cause: `${path}: Unsupported value: ${JSON.stringify(data)}: supported values: ${allowed}`,
        blocks: true,
      };
    }
    case "maxLength":
      return { cause: `${path}: Too long: may not be more than ${params.limit} bytes`, blocks: true };
    case "maxItems":
    case "maxProperties": {
      const count = Object.keys(data as object).length;
      return { cause: `${path}: Too many: ${count}: must have at most ${params.limit} items`, blocks: true };
    }
    case "minItems":
      return invalid((data as unknown[]).length, `should have at least ${params.limit} items`);
    case "minLength":
      return invalid(data, `should be at least ${params.limit} chars long`);
    case "minimum":
      return invalid(data, `should be greater than or equal to ${params.limit}`);
    case "maximum":
      return invalid(data, `should be less than or equal to ${params.limit}`);
    case "pattern":
      return invalid(data, `should match '${params.pattern}'`);
    default:
      throw new Error(`${path}: the schema keyword ${keyword} is not one that crds/ may use`);
  }
}

/** /spec/containers/0/name as spec.containers[0].name. */
function pathOf(pointer: string, root: unknown): string {
  let value = root;
  let path = "";
  for (const segment of pointer.split("/").slice(1)) {
    const name = segment.replaceAll("~1", "/").replaceAll("~0", "~");
    path = Array.isArray(value) ? `${path}[${name}]` : join(path, name);
    value = (value as Fields)[name];
  }
  return path;
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return Number.isInteger(value) ? "integer" : typeof value;
}
