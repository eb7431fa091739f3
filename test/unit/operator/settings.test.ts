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
    page: undefined,
    artifacts: undefined,
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

test("the page's address may be of either kind", () => {
  const page = (SEGNAS_PAGE: string) => readSettings({ SEGNAS_PAGE }, "id").page;
  assert.equal(page(""), undefined);
  assert.deepEqual(page("127.0.0.1:8081"), { host: "127.0.0.1", port: 8081 });
  assert.deepEqual(page("[::]:0"), { host: "::", port: 0 });
  assert.deepEqual(page(":8081"), { host: "", port: 8081 });
});

for (const [env, sentence] of [
  [{ SEGNAS_PAGE: "8081" }, "SEGNAS_PAGE: is 8081, write an address and a port, such as 127.0.0.1:8081"],
  [{ SEGNAS_PAGE: "::1:80" }, "SEGNAS_PAGE: is ::1:80, write an address and a port, such as 127.0.0.1:8081"],
  [
    { SEGNAS_PAGE_ARTIFACTS: "/artifacts" },
    "SEGNAS_PAGE_ARTIFACTS: trials of several namespaces may have the same name; write SEGNAS_NAMESPACE too",
  ],
  [{ SEGNAS_PORT: "http" }, "SEGNAS_PORT: is http, write a port from 0 to 65535"],
  [{ SEGNAS_PORT: "70000" }, "SEGNAS_PORT: is 70000, write a port from 0 to 65535"],
  [{ SEGNAS_LOG_LEVEL: "loud" }, "SEGNAS_LOG_LEVEL: is loud, write error, warn, info or debug"],
] as const)
  test(`a mistake is named: ${Object.keys(env)[0]} ${Object.values(env)[0]}`, () => {
    assert.throws(() => readSettings(env, "id"), new UserError(sentence));
  });
