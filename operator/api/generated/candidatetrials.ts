// Made from crds/candidatetrials.yaml by operator/api/generate.ts: do not edit.
import type { Condition, ObjectMeta } from "../meta.ts";

/**
 * One architecture of a search: made from the policy, trained by a Job for each attempt, and judged. The operator makes trials; deleting one gives it up, and the search makes another.
 */
export interface CandidateTrial {
  apiVersion: "segnas.dev/v1alpha1";
  kind: "CandidateTrial";
  metadata: ObjectMeta;
  spec: CandidateTrialSpec;
  status?: CandidateTrialStatus;
}
/**
 * The architecture and where it came from. Immutable.
 */
export interface CandidateTrialSpec {
  /**
   * The name of the ArchitectureSearch that it belongs to.
   */
  search: string;
  /**
   * Its number in the search, from 0.
   */
  index: number;
  /**
   * The seed of its training, made from the search's seed and the index.
   */
  seed: number;
  /**
   * What the policy chose, one number a decision: for each template two operations and an aggregate, for each block two inputs, a template, repeats - 1 and the stride's exponent.
   */
  decisions: number[];
  /**
   * After how many updates of the policy it was made.
   */
  policyVersion: number;
  /**
   * How many entries of the ledger the policy and the gate knew of when it was made.
   */
  entries: number;
  /**
   * The natural logarithm of the probability that the policy gave to these decisions.
   */
  logProbability: string;
  /**
   * The decisions spelled out.
   */
  architecture: {
    /**
     * Three small patterns of two operations, which the blocks apply.
     *
     * Items: Two operations and what combines their outputs.
     */
    templates: {
      /**
       * The operation for the first and for the second input.
       *
       * @minItems 2
       * @maxItems 2
       */
      operations: [
        (
          | "SeparableConv3x3"
          | "SeparableConv5x5"
          | "GlobalAveragePool"
          | "MaxPool3x3"
          | "SeparableConv5x5Dilated6"
          | "Skip"
        ),
        (
          | "SeparableConv3x3"
          | "SeparableConv5x5"
          | "GlobalAveragePool"
          | "MaxPool3x3"
          | "SeparableConv5x5Dilated6"
          | "Skip"
        ),
      ];
      /**
       * Sum: a weighted sum with a weight for each channel. Concat: concatenation and a 1x1 convolution.
       */
      aggregate: "Sum" | "Concat";
    }[];
    /**
     * Seven applications of templates to earlier nodes.
     *
     * Items: A template applied to two earlier nodes.
     */
    blocks: {
      /**
       * The nodes that it reads: 0 and 1 are the encoder's outputs, 2 is the first block's, and so on.
       *
       * @minItems 2
       * @maxItems 2
       */
      inputs: [number, number];
      /**
       * Which template, from 0.
       */
      template: number;
      /**
       * How often the template is applied, one application to the output of the other.
       */
      repeats: number;
      /**
       * 1 keeps the size, 2 halves it and doubles the channels.
       */
      stride: 1 | 2;
    }[];
  };
  /**
   * The network's parameters, with the search's settings.
   */
  parameters: number;
  /**
   * The network's multiply-accumulate operations for one training crop, with the search's settings.
   */
  macs: number;
  /**
   * Names the network: the same for all ways to write it. Trials of a search with the same name have the same network.
   */
  network: string;
  /**
   * The first trial of the search with the same network, whose result it is to get.
   */
  duplicateOf?: string;
  /**
   * The constraint that the network is over. It is not trained.
   */
  violation?: string;
  /**
   * What its reward must be above at a validation on the way, to go on.
   *
   * Items: The threshold of one validation.
   */
  gate?: {
    /**
     * 0, the decoder alone, or 1, everything.
     */
    stage: 0 | 1;
    /**
     * After how many epochs of the stage.
     */
    epoch: number;
    /**
     * The trial ends here unless its reward is greater.
     */
    threshold: string;
  }[];
}
/**
 * What the operator has seen and done. Not for people to write.
 */
export interface CandidateTrialStatus {
  /**
   * Progressing: it waits or trains. Complete: it has settled with a reward. Failed: it has settled without training to its end.
   */
  conditions?: Condition[];
  /**
   * The Jobs that trained it, or tried to.
   *
   * Items: One Job.
   */
  attempts?: {
    /**
     * Its number, from 0.
     */
    number: number;
    /**
     * The Job's name.
     */
    job: string;
    /**
     * The Job's UID. Only this Job may deliver a result.
     */
    uid?: string;
    /**
     * When the attempt was decided on.
     */
    creationTime?: string;
    /**
     * When it began to train.
     */
    startTime?: string;
    /**
     * Seconds that it trained before startTime: a queue took its pod away, and admitted the Job again.
     */
    spentSeconds?: string;
    /**
     * When it ended.
     */
    endTime?: string;
    /**
     * Why it ended without a result, in one word for programs.
     */
    cause?: string;
    /**
     * Why it ended without a result, in a sentence for people.
     */
    message?: string;
  }[];
  /**
   * The stage that the trainer is at, such as Features, WarmUp, 0 or 1, as it was asked last.
   */
  stage?: string;
  /**
   * True where the trial of spec.duplicateOf, and all others with the same network, came to no result: then this one is trained itself.
   */
  retrain?: boolean;
  /**
   * What came of it.
   */
  result?: {
    /**
     * Succeeded: trained to its end. Failed: not, see cause. Rejected: over a constraint, and so not trained. Deleted: a person deleted it.
     */
    outcome: "Succeeded" | "Failed" | "Rejected" | "Deleted";
    /**
     * What the policy is told. Absent where the architecture is not to blame.
     */
    reward?: string;
    /**
     * The validations on the way, in order.
     *
     * Items: One validation.
     */
    slots?: {
      /**
       * 0, the decoder alone, or 1, everything.
       */
      stage: 0 | 1;
      /**
       * After how many epochs of the stage.
       */
      epoch: number;
      /**
       * What the reward would be here.
       */
      reward: string;
      /**
       * Mean intersection over union.
       */
      meanIoU: string;
    }[];
    /**
     * Measured on the held-out part, at the end.
     */
    metrics?: {
      /**
       * Mean intersection over union of the classes.
       */
      meanIoU: string;
      /**
       * Mean of the classes' accuracies.
       */
      meanAccuracy: string;
      /**
       * Intersection over union, classes weighted by how frequent they are.
       */
      frequencyWeightedIoU: string;
    };
    /**
     * The trained network's parameters.
     */
    parameters?: number;
    /**
     * GPU time spent by all its attempts.
     */
    gpuSeconds?: string;
    /**
     * What each stage took of the attempt that succeeded, where its trainer tells. Absent where the result is another trial's.
     *
     * Items: One stage.
     */
    stages?: {
      /**
       * Its name: Setup, WarmUp, Features, 0 (the decoder), 1 (everything) or Validation.
       */
      stage: string;
      /**
       * Its time.
       */
      seconds: string;
    }[];
    /**
     * True where the gate stopped it on the way, after the last of its slots.
     */
    stopped?: boolean;
    /**
     * The trial with the same network whose result this is.
     */
    duplicateOf?: string;
    /**
     * Why it failed, in one word for programs.
     */
    cause?: string;
    /**
     * Why it failed, in a sentence for people.
     */
    message?: string;
  };
  /**
   * Its number in the search's ledger, once it is there.
   */
  entry?: number;
}
