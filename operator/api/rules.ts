// The schema's rules (x-kubernetes-validations, in CEL), run as an API server runs them.
// A field's old value is the one of the same path. Items of lists have rules too, but none that speaks of oldSelf.
import { Environment, EvaluationError } from "@marcbachmann/cel-js";
import { isObject } from "@segnas/searchspace/fields.ts";
import type { Rule, Schema } from "./crds.ts";
import { join } from "./structural.ts";

const environment = new Environment().registerVariable("self", "dyn").registerVariable("oldSelf", "dyn");
const parsed = new Map<string, ReturnType<Environment["parse"]>>();

/**
 * The causes of refusal by rules, a field's own before those of its fields. Rules that speak of oldSelf hold
 * where there is an old value. The value has passed the schema, patterns and bounds apart.
 */
export function ruleCauses(value: unknown, old: unknown, schema: Schema, path = ""): string[] {
  const context = {
    self: typed(value, schema),
    ...(old !== undefined && { oldSelf: typed(old, schema) }),
  };
  const own = (schema["x-kubernetes-validations"] ?? [])
    .filter((rule) => old !== undefined || !/\boldSelf\b/.test(rule.rule))
    .flatMap((rule) => causeOf(rule, context, schema, path));
  const fields = Object.entries(schema.properties ?? {}).filter(([name]) => isObject(value) && name in value);
  // No item of ours has a rule on its former value.
  const items = Array.isArray(value) ? value : [];
  return [
    ...own,
    ...items.flatMap((item, i) => ruleCauses(item, undefined, schema.items!, `${path}[${i}]`)),
    ...fields.flatMap(([name, field]) =>
      ruleCauses(get(value, name), isObject(old) ? get(old, name) : undefined, field, join(path, name)),
    ),
  ];
}

const get = (value: unknown, name: string): unknown => (value as Record<string, unknown>)[name];

function causeOf(
  { rule, message, reason, fieldPath }: Rule,
  context: object,
  schema: Schema,
  path: string,
): string[] {
  const invalid = `Invalid value: "${schema.type}"`;
  let program = parsed.get(rule);
  if (!program) {
    program = environment.parse(rule);
    parsed.set(rule, program);
  }
  try {
    if (program(context) === true) return [];
  } catch (error) {
    // Of what rules do, only double() can fail on a value of the right type.
    if (!(error instanceof EvaluationError)) throw error;
    return [
      `${path}: ${invalid}: type conversion error from 'string' to 'double' evaluating rule: ${message}`,
    ];
  }
  const reasons: Record<string, string> = {
    FieldValueRequired: "Required value",
    FieldValueForbidden: "Forbidden",
  };
  return [`${path}${fieldPath ?? ""}: ${reasons[reason ?? ""] ?? invalid}: ${message}`.replace(/^\./, "")];
}

/** A value as CEL sees it: integers as int, and no field that the schema does not name. */
function typed(value: unknown, schema: Schema): unknown {
  if (schema.type === "integer") return BigInt(value as number);
  if (Array.isArray(value)) return value.map((item) => typed(item, schema.items!));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, field]) => {
      const known = schema.properties?.[name] ?? schema.additionalProperties;
      return known ? [[name, typed(field, known)]] : [];
    }),
  );
}
