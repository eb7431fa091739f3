// On a cluster an evicted trial's attempt had ended as "Gone: its pod is gone". An evicted pod is deleted too, which was
// taken for a queue's doing: the operator waited for the Job to end, and with that its pod went, cause and all.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Job, Pod } from "@segnas/operator/api/store.ts";
import { attemptJob } from "@segnas/operator/controllers/candidatetrial/job.ts";
import { reconcileTrial } from "@segnas/operator/controllers/candidatetrial/reconcile.ts";
import { createStore } from "@segnas/operator/kube/store.ts";
import { createLogger } from "winston";
import { memoryStore } from "../unit/controllers/memory-store.ts";
import { makePod, makeSearch, makeTrial } from "../unit/controllers/objects.ts";

const key = { namespace: "default", name: "s-0" };
const now = new Date("2026-01-01T00:10:00.000Z");

/** The pod as the kubelet leaves it, before its Job lets it go. */
function evicted(job: Job): Pod {
  const { metadata, ...pod } = makePod(job, {
    phase: "Failed",
    conditions: [
      {
        type: "DisruptionTarget",
        status: "True",
        reason: "EvictionByEvictionAPI",
        message: "Eviction API: evicting",
      },
    ],
    containerStatuses: [
      {
        name: "trainer",
        state: { terminated: { exitCode: 75, reason: "Error", finishedAt: "2026-01-01T00:09:59Z" } },
      },
    ],
  });
  const { labels } = job.spec.template.metadata;
  const own = {
    namespace: "default",
    uid: "pod",
    labels: labels!,
    deletionTimestamp: "2026-01-01T00:09:58Z",
  };
  return { ...pod, metadata: { ...metadata, ...own } };
}

test("an evicted pod's cause is the attempt's, whether the pod is still there or not", async () => {
  const store = memoryStore(() => now);
  const search = await store.create<"ArchitectureSearch">(makeSearch());
  const trial = await store.create<"CandidateTrial">(makeTrial(0));
  const job = await store.create<"Job">(attemptJob(search, trial, 0));
  const attempt = { number: 0, job: "s-0-0", uid: job.metadata.uid!, startTime: "2026-01-01T00:09:00Z" };
  const known = await store.updateStatus<"CandidateTrial">({ ...trial, status: { attempts: [attempt] } });
  // The server has no such pod any more.
  const cached = createStore(store);
  cached.listed("ArchitectureSearch", [search], "9");
  cached.listed("CandidateTrial", [known], "9");
  cached.listed("Job", [job], "9");
  cached.listed("Pod", [evicted(job)], "9");
  const logger = createLogger({ silent: true });
  await reconcileTrial({ store: cached, logger, now: () => now, retryDelay: () => 1000 }, key);
  const [ended] = (await store.get("CandidateTrial", key))!.status!.attempts!;
  assert.equal(ended?.cause, "EvictionByEvictionAPI");
  assert.equal(ended.message, "Eviction API: evicting");
  assert.equal(ended.endTime, "2026-01-01T00:09:59Z");
});
