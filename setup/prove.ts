// Proves the set-up by training: a small network must lower its loss in ten real steps on TensorFlow's kernels.
import { PUBLISHED, parseArchitecture } from "@segnas/searchspace/architecture.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { expand } from "@segnas/searchspace/network.ts";
import { random } from "@segnas/searchspace/random.ts";
import { BN_EPSILON, initialArrays, SIDES, slotsOf } from "@segnas/trainer/model/parameters.ts";

/** Returns what was proven, in a sentence. Throws UserError where TensorFlow cannot be used as asked. */
async function prove(): Promise<string> {
  // Imported here because loading TensorFlow may fail.
  const { tensor, USES_GPU, VERSION } = await import("@segnas/trainer/tensorflow/runtime.ts");
  const { Model } = await import("@segnas/trainer/model/model.ts");
  const { Optimizer } = await import("@segnas/trainer/training/optimizer.ts");

  const size = { height: 32, width: 32 };
  const settings = { classes: 2, aggregateChannels: 8, separableRepeats: 1 };
  const network = expand(parseArchitecture(PUBLISHED.arch0), settings, size);
  const slots = SIDES.flatMap((side) => slotsOf(network, side));
  const model = Model.from(network, initialArrays(slots, random(1, "prove")), BN_EPSILON);

  // Left half dark and of class 0, right half bright and of class 1.
  const right = Array.from({ length: 2 * 32 * 32 }, (_, pixel) => (pixel % 32 >= 16 ? 1 : 0));
  const image = tensor(Float32Array.from(right.flatMap((side) => [side, side, side])), [2, 32, 32, 3]);
  const target = { label: Uint8Array.from(right), ...size };
  const rate = { learningRate: 0.01, weightDecay: 0, gradientClip: 3, polyakDecay: 0.9 };
  const optimizers = {
    encoder: new Optimizer(model.vector("encoder"), rate),
    decoder: new Optimizer(model.vector("decoder"), rate),
  };
  const losses = Array.from({ length: 10 }, () =>
    model.step(network, new Map([[0, image]]), target, optimizers),
  );
  const [first, last] = [losses[0]!, losses.at(-1)!];
  if (!(last < 0.8 * first))
    throw new UserError(
      `ten steps brought the loss from ${first} to ${last}: TensorFlow ${VERSION} computes wrongly here`,
    );
  const device = USES_GPU ? "GPU" : "CPU";
  return `TensorFlow ${VERSION} trains on the ${device}: loss ${first.toFixed(3)} to ${last.toFixed(3)} in ten steps`;
}

try {
  console.log(await prove());
  process.exit(0);
} catch (error) {
  console.error(error instanceof UserError ? error.message : error);
  process.exit(1);
}
