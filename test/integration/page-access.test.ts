// The page where a token is needed, in a real browser.
import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { createAccess } from "@segnas/operator/web/page/access.ts";
import { servePage } from "@segnas/operator/web/page/server.ts";
import { sendJson, startApiServer } from "../unit/kube/api-server.ts";
import { closeBrowser, closePages, noBrowser, open } from "./page-browser.ts";
import { syntheticSource } from "./page-synthetic.ts";

after(closeBrowser);

test("who gives a token sees searches, and is asked again once it is not good any more", {
  skip: noBrowser() ?? false,
  timeout: 120_000,
}, async (context) => {
  let token = "good";
  const { client } = await startApiServer(context, (call) => {
    const { spec } = JSON.parse(call.body);
    const status = spec.token
      ? { authenticated: spec.token === token, user: { username: "ann" } }
      : { allowed: true };
    sendJson(call, { status }, 201);
  });
  let now = 0;
  const server = await servePage({
    source: syntheticSource({ village: 40 }),
    host: "0.0.0.0",
    port: 0,
    access: createAccess(client, () => now),
    failed: (error) => assert.fail(String(error)),
  });
  context.after(async () => {
    await closePages();
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const page = await open(url, {}, /status of 401/);
  const give = async (text: string) => {
    await page.getByLabel("Token").fill(text);
    await page.getByRole("button", { name: "Show the searches" }).click();
  };
  await give("bad");
  await page.getByText("The cluster does not know this token").waitFor();
  await give(token);
  await page.getByRole("link", { name: "village" }).click();
  await page.getByText("40 of 40").waitFor();
  // In this tab it is remembered.
  await page.reload();
  await page.getByText("40 of 40").waitFor();
  token = "another";
  now = 60_000;
  await page.getByText("The cluster does not know this token").waitFor();
});
