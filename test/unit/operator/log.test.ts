// What is logged, for programs and for people.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openLog } from "@segnas/operator/log.ts";

const about = { search: "s", trial: "s-3", reward: 0.5, reason: "the loss is NaN" };

test("JSON a line for programs", () => {
  const lines: string[] = [];
  openLog("info", false, (line) => lines.push(line)).warn("trial failed", about);
  assert.match(lines[0]!, /\n$/);
  const { timestamp, ...line } = JSON.parse(lines[0]!);
  assert.deepEqual(line, { level: "warn", message: "trial failed", ...about });
  assert.ok(Date.parse(timestamp) > 0);
});

test("words for a terminal; what matters less than was asked for is left out", () => {
  const lines: string[] = [];
  const logger = openLog("info", true, (line) => lines.push(line));
  logger.debug("process ended", about);
  logger.info("trial failed", about);
  assert.match(
    lines.join(""),
    /^\d\d:\d\d:\d\d info trial failed search=s trial=s-3 reward=0\.5 reason="the loss is NaN"\n$/,
  );
});
