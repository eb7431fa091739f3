// What is told of a search on this machine, where no events are kept.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eventsOf } from "@segnas/operator/local/events.ts";
import { makeSearch, makeTrial } from "../controllers/objects.ts";

const at = (minute: number) => `2026-03-01T10:0${minute}:00Z`;
const condition = (type: string, minute: number, status: "True" | "False" = "True") => ({
  ...{ type, status, reason: `Why${type}`, message: `words of ${type}`, lastTransitionTime: at(minute) },
});

test("how a search stands, what went wrong with its trials, in the order in which it happened", () => {
  const search = {
    ...makeSearch(),
    status: {
      conditions: [condition("Stalled", 4), condition("Progressing", 0), condition("Failed", 9, "False")],
    },
  };
  const attempt = (number: number, cause: string | undefined, minute: number) => ({
    ...{ number, job: `j${number}`, startTime: at(0), endTime: at(minute) },
    ...(cause && { cause, message: `${cause} in words` }),
  });
  const trials = [
    makeTrial(2, {
      attempts: [attempt(0, "Error", 3), attempt(1, "Suspended", 5), attempt(2, "OutOfMemory", 7)],
      // Told once: not as its last attempt's too.
      conditions: [
        { ...condition("Failed", 8), reason: "OutOfMemory" },
        condition("Progressing", 0, "False"),
      ],
      result: { outcome: "Failed", cause: "OutOfMemory" },
    }),
    makeTrial(1, { attempts: [attempt(0, undefined, 6)], conditions: [condition("Complete", 6)] }),
  ];
  const told = eventsOf({ search, trials }).map(({ about, type, reason, note, time }) =>
    [time.slice(15, 16), type, about, reason, note].join(" "),
  );
  assert.deepEqual(told, [
    "3 Warning s-2 Error attempt 0: Error in words",
    "4 Warning s WhyStalled words of Stalled",
    "8 Warning s-2 OutOfMemory words of Failed",
  ]);
});

test("nothing is told of a search that has not begun", () => {
  assert.deepEqual(eventsOf({ search: makeSearch(), trials: [makeTrial(0)] }), []);
});
