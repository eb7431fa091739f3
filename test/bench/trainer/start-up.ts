// How long a trial takes from its process's start to the end of its first training step, features made already.
import type { Case, Measured } from "./cases.ts";

class Done extends Error {}

export async function measureStartUp(
  { genotype, height, width, batch }: Case,
  folder: string,
): Promise<Measured> {
  const { parseTrial } = await import("@segnas/trainer/training/configuration.ts");
  const { Session } = await import("@segnas/trainer/training/session.ts");
  const { runTrial } = await import("@segnas/trainer/training/trial.ts");
  const trial = parseTrial(
    JSON.stringify({
      name: "bench",
      seed: 1,
      architecture: genotype,
      dataset: { format: "Shapes", shapes: { images: 4 * batch, height, width } },
      training: { crop: { height, width }, stage0: { epochs: 0 }, stage1: { epochs: 1, batchSize: batch } },
    }),
  );
  const session = new Session("bench", undefined);
  session.onStep = () => {
    throw new Done();
  };
  const surroundings = { cache: folder, artifacts: undefined, checkpointSeconds: 0 };
  await runTrial(trial, surroundings, session).catch((error) => {
    if (!(error instanceof Done)) throw error;
  });
  // Counted from the process's start.
  const milliseconds = [performance.now()];
  return { milliseconds, residentBytes: process.resourceUsage().maxRSS * 1024, kernels: {} };
}
