// Writes operator/api/generated, and the chart's copies, from crds/: node operator/api/generate.ts [--check]
import { readdirSync, readFileSync } from "node:fs";
import { compile } from "json-schema-to-typescript";
import { type Definition, definitions, type Schema } from "./crds.ts";
import { put } from "./put.ts";

type JsonSchema = Parameters<typeof compile>[0];

/**
 * A schema as the generator takes it: fields with a default are always there once an object was admitted,
 * other fields than the named ones never are.
 */
function typeOf(schema: Schema, title?: string): JsonSchema {
  const described = {
    ...(schema.description && { description: schema.description }),
    ...(title && { title }),
  };
  if (schema["x-kubernetes-int-or-string"]) return { ...described, type: ["integer", "string"] };
  if (schema.type === "array") {
    const pair = schema.minItems === 2 && schema.maxItems === 2;
    return {
      ...described,
      type: "array",
      items: typeOf(schema.items!),
      ...(pair && { minItems: 2, maxItems: 2 }),
    };
  }
  if (schema.type !== "object")
    return { ...described, type: schema.type!, ...(schema.enum && { enum: schema.enum }) };
  const properties = Object.entries(schema.properties ?? {});
  const present = properties.filter(
    ([name, field]) => field.default !== undefined || schema.required?.includes(name),
  );
  return {
    ...described,
    type: "object",
    properties: Object.fromEntries(
      properties.map(([name, field]) => [
        name,
        name === "conditions" ? { description: field.description, tsType: "Condition[]" } : typeOf(field),
      ]),
    ),
    required: present.map(([name]) => name),
    additionalProperties: schema.additionalProperties
      ? typeOf(schema.additionalProperties)
      : schema["x-kubernetes-preserve-unknown-fields"] === true,
  } as JsonSchema;
}

/** The TypeScript module of one kind. */
async function generate({ kind, plural, apiVersion, schema }: Definition): Promise<string> {
  const { spec, status } = schema.properties!;
  const root = {
    title: kind,
    description: schema.description,
    type: "object",
    properties: {
      apiVersion: { const: apiVersion },
      kind: { const: kind },
      metadata: { tsType: "ObjectMeta" },
      spec: typeOf(spec!, `${kind}Spec`),
      status: typeOf(status!, `${kind}Status`),
    },
    required: ["apiVersion", "kind", "metadata", "spec"],
    additionalProperties: false,
  };
  return compile(root as JsonSchema, kind, {
    bannerComment: `// Made from crds/${plural}.yaml by operator/api/generate.ts: do not edit.\nimport type { Condition, ObjectMeta } from "../meta.ts";\n`,
    style: { printWidth: 110, trailingComma: "all", bracketSpacing: true },
  });
}

const repository = new URL("../../", import.meta.url);

for (const definition of Object.values(definitions))
  put(
    `operator/api/generated/${definition.plural}.ts`,
    await generate(definition),
    `crds/${definition.plural}.yaml`,
  );
// A chart is packaged alone, and not every tool that fetches one follows links.
for (const file of readdirSync(new URL("crds", repository))) {
  const text = readFileSync(new URL(`crds/${file}`, repository), "utf8");
  put(`charts/segnas/files/${file}`, `# A copy of crds/${file}: npm run generate.\n${text}`, `crds/${file}`);
}
