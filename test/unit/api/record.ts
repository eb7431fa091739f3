// Records what a real API server says to the manifests of verdicts.json, in place:
//   kubectl apply -f crds && kubectl proxy --port 8001 &
//   node test/unit/api/record.ts http://127.0.0.1:8001
// A case is { name, manifest, old? }; with `old`, that object is made first and the manifest updates it.
// What comes back is { spec, status? } with its defaults, or the causes of the refusal.
// The recorded table is from Kubernetes 1.34.4. Objects are made in the namespace "default" and deleted again.
import { readFileSync, writeFileSync } from "node:fs";
import { definitions, type Kind } from "../../../operator/api/crds.ts";

interface Manifest {
  kind: Kind;
  metadata: { name: string };
}
interface Case {
  name: string;
  old?: Manifest;
  manifest: Manifest;
}
interface Answer {
  metadata: { resourceVersion: string };
  spec?: unknown;
  status?: unknown;
  message: string;
  details?: { causes?: { field: string; message: string }[] };
}

const file = new URL("verdicts.json", import.meta.url);
const server = process.argv[2];

async function send(method: string, kind: Kind, path: string, body?: unknown): Promise<[boolean, Answer]> {
  const url = `${server}/apis/segnas.dev/v1alpha1/namespaces/default/${definitions[kind].plural}${path}`;
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return [response.ok, (await response.json()) as Answer];
}

function causes({ message, details }: Answer): string[] {
  const strict = message.split("strict decoding error: ")[1];
  if (strict) return strict.split(", ");
  if (!details?.causes) throw new Error(message);
  return details.causes.map((cause) => `${cause.field}: ${cause.message}`);
}

async function record({ name, old, manifest }: Case) {
  const { kind } = manifest;
  const strict = "fieldValidation=Strict&dryRun=All";
  if (!old) return verdict(name, ...(await send("POST", kind, `?${strict}`, manifest)));
  const [made, { metadata, message }] = await send("POST", kind, "", old);
  if (!made) throw new Error(`${name}: ${message}`);
  const update = {
    ...manifest,
    metadata: { ...manifest.metadata, resourceVersion: metadata.resourceVersion },
  };
  const answer = await send("PUT", kind, `/${old.metadata.name}?${strict}`, update);
  await send("DELETE", kind, `/${old.metadata.name}`);
  return verdict(name, ...answer);
}

function verdict(name: string, accepted: boolean, answer: Answer) {
  console.log(name, accepted ? "accepted" : causes(answer));
  return accepted
    ? { accepted: { spec: answer.spec, ...(answer.status !== undefined && { status: answer.status }) } }
    : { refused: causes(answer) };
}

const lines: string[] = [];
for (const item of JSON.parse(readFileSync(file, "utf8")) as Case[]) {
  const { name, old, manifest } = item;
  lines.push(JSON.stringify({ name, ...(old && { old }), manifest, ...(await record(item)) }));
}
writeFileSync(file, `[\n${lines.join(",\n")}\n]\n`);
