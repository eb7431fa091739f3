// What the operator is told by its environment.
import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { readSettings } from "@segnas/operator/settings.ts";
import { UserError } from "@segnas/searchspace/errors.ts";

test("outside a cluster every setting has a value that works", () => {
  assert.deepEqual(readSettings({}, "id"), {
    namespace: undefined,
    trainerImage: undefined,
    port: 8080,
    logLevel: "info",
    pod: { name: hostname(), namespace: undefined, uid: "id" },
  });
  // As a chart writes what it leaves out.
  assert.equal(readSettings({ SEGNAS_NAMESPACE: "" }, "id").namespace, undefined);
});

test("in a pod it is who its pod is", () => {
  const { pod, namespace, trainerImage } = readSettings(
    {
      SEGNAS_NAMESPACE: "team",
      SEGNAS_TRAINER_IMAGE: "segnas/trainer:1",
      POD_NAME: "segnas-0",
      POD_NAMESPACE: "segnas",
      POD_UID: "uid",
    },
    "id",
  );
  assert.deepEqual(
    { pod, namespace, trainerImage },
    {
      pod: { name: "segnas-0", namespace: "segnas", uid: "uid" },
      namespace: "team",
      trainerImage: "segnas/trainer:1",
    },
  );
});

for (const [env, sentence] of [
  [{ SEGNAS_PORT: "http" }, "SEGNAS_PORT: is http, write a port from 0 to 65535"],
  [{ SEGNAS_PORT: "70000" }, "SEGNAS_PORT: is 70000, write a port from 0 to 65535"],
  [{ SEGNAS_LOG_LEVEL: "loud" }, "SEGNAS_LOG_LEVEL: is loud, write error, warn, info or debug"],
] as const)
  test(`a mistake is named: ${Object.keys(env)[0]} ${Object.values(env)[0]}`, () => {
    assert.throws(() => readSettings(env, "id"), new UserError(sentence));
  });
