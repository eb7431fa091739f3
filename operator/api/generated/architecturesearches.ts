// Made from crds/architecturesearches.yaml by operator/api/generate.ts: do not edit.
import type { Condition, ObjectMeta } from "../meta.ts";

/**
 * A search for a compact segmentation network. A policy proposes architectures, each is trained as a CandidateTrial in a pod of its own, and its reward teaches the policy. What makes the question (seed, space, policy, objective, dataset, training, gate, startingPoints, rewardOrder, policyLag) cannot be changed: another question is another search. What it may cost (parallelism, maxTrials, budget, retries) can.
 */
export interface ArchitectureSearch {
  apiVersion: "segnas.dev/v1alpha1";
  kind: "ArchitectureSearch";
  metadata: ObjectMeta;
  spec: ArchitectureSearchSpec;
  status?: ArchitectureSearchStatus;
}
/**
 * What is searched, how, on which data, and what it may cost.
 */
export interface ArchitectureSearchSpec {
  /**
   * Stops the search for the time being: its Jobs are deleted, their attempts are not counted, the GPU time spent is. Set back to false, it goes on with the same trials.
   */
  suspend: boolean;
  /**
   * Where all of the search's randomness comes from: the policy's start, its samples and each trial's own seed. Default 1. Immutable.
   */
  seed: number;
  /**
   * How many trials are trained at a time. Lowering it lets those that run finish. Default 2.
   */
  parallelism: number;
  /**
   * With rewardOrder Index: trial i is made from the policy as it was after the entries up to i - policyLag, whatever else has finished by then; parallelism must not exceed it. Default 8. Immutable.
   */
  policyLag: number;
  /**
   * Trials that are made at most, whatever becomes of them; the search is complete when all have ended. May be raised (a complete search goes on) and lowered; what has ended stays.
   */
  maxTrials: number;
  /**
   * The search fails when more trials than this have failed. Absent, there is no limit.
   */
  maxFailedTrials?: number;
  /**
   * Limits on what the search may spend.
   */
  budget?: {
    /**
     * The search ends, with what it has found, so many seconds after its start.
     */
    activeDeadlineSeconds?: number;
    /**
     * The search ends, with what it has found, when all its attempts together have trained for so many hours (on the CPU where there is no GPU); what runs then is stopped. Not counted is the time of trials that were deleted by hand, and of attempts that were lost with their machine. Above 0.
     */
    gpuHours?: string;
  };
  /**
   * How often a trial is tried again when the infrastructure failed it (eviction, lost node, crash). Trials that fail by their architecture's own fault are not tried again. Default 3.
   */
  retries: number;
  /**
   * How long an attempt at a trial may wait for its pod to begin (for a machine that has room, for its image, for its volumes) before it is given up and tried again, as often as retries says. What it waits for stands in the trial's condition. Waiting in a queue (Kueue) does not count. Default 1800.
   */
  pendingTimeoutSeconds: number;
  /**
   * How long a trainer that runs may answer /progress with the same words before its attempt is given up as hanging and tried again, as often as retries says. One that serves no /progress is left alone. Default 3600.
   */
  progressDeadlineSeconds: number;
  /**
   * In which order rewards reach the policy. Completion (default): as trials finish, so no GPU waits. Index: in the order of the trials' numbers, so that the same seed repeats the same search. Immutable.
   */
  rewardOrder: "Completion" | "Index";
  /**
   * What becomes of a trial whose network another trial of the search has already. Reuse (default): it gets that trial's result, without any training. Retrain: it is trained again.
   */
  duplicates: "Reuse" | "Retrain";
  /**
   * Which trials go on after a validation on the way. One that is stopped keeps the reward of that validation. Immutable.
   */
  gate: {
    /**
     * RunningMean (default): a trial goes on if its reward is above m (1 - u), where m is the running mean of the rewards at the same validation of earlier trials, and u is drawn for each trial from 0 to the tolerance. None: all go on.
     */
    type: "RunningMean" | "None";
    /**
     * The running mean's decay, at least 0 and below 1. Default 0.99.
     */
    decay: string;
    /**
     * The largest u of the first 100 trials, at most 1; it falls by factors of 0.9, 0.8, 0.7 and 0.6 at trials 100, 200, 300 and 400. Default 0.9.
     */
    tolerance: string;
    /**
     * Whether the running mean is that of the rewards from the first one on (default). Without, it starts at 0.01 as in the paper, and stops next to nothing for dozens of trials.
     */
    biasCorrection: boolean;
  };
  /**
   * What the search begins with, before its policy proposes anything. Immutable.
   */
  startingPoints?: {
    /**
     * Another search of the namespace. All of its trials that have a reward by then are taken over into this search's ledger before anything else: they teach its policy, are ranked with its own, feed its gate, and are networks that it knows (duplicates); they are not counted among its trials, nor against its limits. Of its spec, space, dataset, training, gate, objective.metric and objective.failureReward must be the same, and the seed too where data or encoder are made from it (dataset.format Shapes, training.encoder.source WarmUp). Constraints are applied anew. Once they are taken over, the other search may be deleted.
     */
    search?: string;
    /**
     * Architectures that the first trials train, in this order.
     *
     * Items: A published architecture, or one spelled out in templates and blocks.
     */
    architectures?: {
      /**
       * The name of a network of the paper.
       */
      published?: "arch0" | "arch1";
      /**
       * Three small patterns of two operations, which the blocks apply.
       *
       * Items: Two operations and what combines their outputs.
       */
      templates?: {
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
      blocks?: {
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
    }[];
  };
  /**
   * The architectures to choose from, and what all of them share. Immutable.
   */
  space: {
    /**
     * Channels before the classifier. The paper searches with 48 (default) and trains its results with 64.
     */
    aggregateChannels: number;
    /**
     * How many separable convolutions make one separable operation. The paper searches with 1 (default) and trains its results with 2.
     */
    separableRepeats: number;
  };
  /**
   * How architectures are proposed, and how the proposer learns. Immutable.
   */
  policy: {
    /**
     * How a recurrent network is taught, or what stands in its place. pathConsistency: by all trials so far, from their ranks, how much likelier one is to be than another; what learned most when measured. ppo: by proximal policy optimisation. reinforce: by the plain policy gradient. priorityQueue: by the best trials so far. evolution: regularised evolution, no network: the child of a good recent trial with one decision changed. random: uniform choice, which learns nothing; what every other policy has to beat. Absent, pathConsistency, or ppo with preset published.
     */
    name?: "pathConsistency" | "ppo" | "reinforce" | "priorityQueue" | "evolution" | "random";
    /**
     * Values for the settings below that are absent. default, the default: chosen by measurement for searches of a few hundred trials. published: as in arXiv 1904.02365 (ppo, reinforce).
     */
    preset: "default" | "published";
    /**
     * Trials that one update of the policy learns from. Absent, the preset's.
     */
    batchSize?: number;
    /**
     * Passes over what an update learns from (ppo, priorityQueue, pathConsistency). Absent, the preset's.
     */
    epochs?: number;
    /**
     * Step size of the policy's optimiser (Adam), above 0. Absent, the preset's.
     */
    learningRate?: string;
    /**
     * How far the ratio of the new to the old probability may leave 1 before it teaches no more (ppo), above 0. Absent, the preset's.
     */
    clip?: string;
    /**
     * The greatest norm of the policy's gradient, above 0. Absent, the preset's.
     */
    gradientClip?: string;
    /**
     * Weight of the entropy bonus, which keeps the policy from settling early. Absent, the preset's.
     */
    entropyCoefficient?: string;
    /**
     * Decay of the running mean of rewards that advantages are taken against, at least 0 and below 1. Absent, the preset's.
     */
    baselineDecay?: string;
    /**
     * Whether each decision is fed back as the next step's input; otherwise the decisions of one architecture are independent of each other. Absent, the preset's.
     */
    feedDecisions?: boolean;
    /**
     * How many of the best trials so far the network is taught (priorityQueue). Absent, the preset's.
     */
    queueSize?: number;
    /**
     * How decided the network becomes: the odds of a trial are to be those of its rank to a power that is this after 100 trials, grows in proportion to their number up to 300 and with the root from then on (pathConsistency), above 0. Absent, the preset's.
     */
    sharpness?: string;
    /**
     * How many earlier trials, drawn anew for each pass, an update learns from beside its own (pathConsistency). Absent, the preset's.
     */
    replay?: number;
    /**
     * How many of the last trials may become parents, and how many are uniform at the start (evolution). Absent, the preset's.
     */
    population?: number;
    /**
     * How many of the population, drawn at random, compete to be the parent of a trial (evolution). Absent, the preset's.
     */
    sampleSize?: number;
  };
  /**
   * What is maximised. Immutable.
   */
  objective: {
    /**
     * The reward, measured on the held-out part. GeometricMean (default): of mean IoU, mean accuracy and frequency-weighted IoU, as in the paper. MeanIoU: the mean intersection over union alone.
     */
    metric: "GeometricMean" | "MeanIoU";
    /**
     * The reward of an architecture that cannot be trained: loss not finite, out of memory, over its time limit. Default 0.
     */
    failureReward: string;
    /**
     * Limits on networks. One that is over them is not trained.
     */
    constraints?: {
      /**
       * The most parameters.
       */
      maxParameters?: number;
      /**
       * The most multiply-accumulate operations for one image.
       */
      maxMacs?: number;
      /**
       * A limit on the time for one image, as a table made on the target predicts it.
       */
      latency?: {
        /**
         * The longest time for one image, above 0.
         */
        maxMilliseconds: string;
        /**
         * What layers cost on a machine; `segnas measure` there writes it.
         */
        table: {
          /**
           * The machine that it was measured on, for people to read.
           */
          device?: string;
          /**
           * A row for each kind of layer.
           *
           * Items: What a layer of one kind costs, in milliseconds.
           */
          rows: {
            /**
             * The kind of layer.
             */
            layer: string;
            /**
             * Whatever its size.
             */
            perLayer: string;
            /**
             * For each 10^9 multiply-accumulate operations.
             */
            perGigaMac: string;
            /**
             * For each 10^6 numbers of its output.
             */
            perMegaElement: string;
          }[];
        };
      };
      /**
       * The size of image that MACs and latency are counted at. Absent, the training crop.
       */
      image?: {
        /**
         * Height in pixels.
         */
        height: number;
        /**
         * Width in pixels.
         */
        width: number;
      };
      /**
       * Which networks are counted. Final (default): as they are trained in full, with 64 channels before the classifier and 2 separable convolutions in a row. Search: as the search trains them (spec.space).
       */
      settings: "Final" | "Search";
      /**
       * What becomes of a network over a limit. FailureReward (default): a trial without training, with the failure reward, so that the policy learns to avoid it. Resample: the policy proposes again, up to 1,000 times, and learns nothing of it.
       */
      onViolation: "FailureReward" | "Resample";
    };
  };
  /**
   * The labelled images. Only their training part is used, a share of it held out. Immutable.
   */
  dataset: {
    /**
     * Folder: the folders train and trainannot (and val, valannot, test, testannot) with images and PNG label images of the same names, whose values are class numbers, as CamVid has them. CityScapes: its own folders leftImg8bit and gtFine. Shapes: coloured shapes that are drawn as they are needed, to try things out without any data.
     */
    format: "Folder" | "CityScapes" | "Shapes";
    /**
     * The data set's folder, as the trainer sees it: in a cluster a path in its container, so its volume belongs in trialTemplate. Not for Shapes.
     */
    path?: string;
    /**
     * How many classes the labels tell apart. Folder: required. CityScapes: 19 always. Shapes: 6 where absent.
     */
    classes?: number;
    /**
     * The classes' names in the order of their numbers, for people to read. Absent, they are numbered.
     */
    classNames?: string[];
    /**
     * A label value that means "not labelled": it is neither learned nor measured. CamVid's is 11. 255 always means that.
     */
    ignoreLabel?: number;
    /**
     * The share of the training part that is not trained on and gives the reward, above 0 and below 1: frames in a row, or whole sequences, so that no neighbour of a frame is trained on. Default 0.1.
     */
    heldOut: string;
    /**
     * How many shapes images are drawn, and how large. Only with format Shapes.
     */
    shapes?: {
      /**
       * Images in the training part. Default 200.
       */
      images: number;
      /**
       * An image's height in pixels. Default 96.
       */
      height: number;
      /**
       * An image's width in pixels. Default 128.
       */
      width: number;
    };
  };
  /**
   * How each trial is trained: first the decoder alone on the encoder's features (stage 0), then everything (stage 1). What is absent is the preset's. Immutable.
   */
  training: {
    /**
     * Values for the settings below that are absent. paper (default): as in arXiv 1904.02365. gpu8GB: the same with batches that leave nearly all architectures room in 8 GB. cpu: small crops, small batches and fewer epochs, for minutes a trial on two cores.
     */
    preset?: "paper" | "gpu8GB" | "cpu";
    /**
     * Images and labels are resized, before anything else, so that their longer side has so many pixels, those that are validated on too. The paper resizes CityScapes to 1024. Absent, they are taken as they are.
     */
    longerSide?: number;
    /**
     * The part of an image that is trained on at a time.
     */
    crop?: {
      /**
       * Height in pixels.
       */
      height: number;
      /**
       * Width in pixels.
       */
      width: number;
    };
    /**
     * The central part of an image that is validated on. Absent, whole images.
     */
    validationCrop?: {
      /**
       * Height in pixels.
       */
      height: number;
      /**
       * Width in pixels.
       */
      width: number;
    };
    /**
     * Images are validated in tiles of at most this size, which overlap as it comes; for images too large to be evaluated at once. Absent, each at once.
     */
    validationTile?: {
      /**
       * Height in pixels.
       */
      height: number;
      /**
       * Width in pixels.
       */
      width: number;
    };
    /**
     * Stage 0 uses at most so many training images. The paper uses 1000.
     */
    maxTrainingImages?: number;
    /**
     * How training images are varied.
     */
    augmentation?: {
      /**
       * The least factor that an image is resized by, above 0.
       */
      minScale?: string;
      /**
       * The greatest factor that an image is resized by, above 0.
       */
      maxScale?: string;
      /**
       * Whether half of the images are mirrored, left to right.
       */
      flip?: boolean;
    };
    /**
     * Where the encoder's weights come from. All trials of a search start from the same.
     */
    encoder?: {
      /**
       * Imported: weights trained on other images, which come with the trainer. WarmUp: trained once from nothing on the data set itself, then shared. File: a file of one's own.
       */
      source: "Imported" | "WarmUp" | "File";
      /**
       * A safetensors file of the encoder's weights, as the trainer sees it. Only with source File.
       */
      path?: string;
      /**
       * Epochs of the warm-up. Only with source WarmUp; absent, the preset's.
       */
      warmUpEpochs?: number;
    };
    /**
     * The decoder alone, on the encoder's features, which are computed once and kept.
     */
    stage0?: {
      /**
       * Passes over the training images; 0 leaves the stage out.
       */
      epochs?: number;
      /**
       * Images in a step. A last batch that is not full is dropped. At least 2: one value has no variance.
       */
      batchSize?: number;
      /**
       * How many varied views of each image are kept.
       */
      views?: number;
      /**
       * Step size of the optimiser (Adam), above 0.
       */
      learningRate?: string;
      /**
       * Weight of the L2 penalty, which is added to the gradient.
       */
      weightDecay?: string;
      /**
       * Decay of the weights' running mean, which is what is validated; at least 0 and below 1. Over fewer than 1 / (1 - decay) steps it is mostly the weights that the stage began with.
       */
      polyakDecay?: string;
      /**
       * The greatest norm of the gradient, above 0.
       */
      gradientClip?: string;
      /**
       * How the learning rate changes over the steps of the stage. Constant: not at all. Polynomial: times (1 - step / steps)^power, known as poly. Step: times gamma after each stepEpochs epochs. OneCycle: along half cosines from the rate / divFactor up to the rate and down to the rate / (divFactor x finalDivFactor).
       */
      schedule?: {
        /**
         * The schedule's form.
         */
        type: "Constant" | "Polynomial" | "Step" | "OneCycle";
        /**
         * The exponent (Polynomial). Absent, 0.9.
         */
        power?: string;
        /**
         * After how many epochs the rate falls, again and again (Step).
         */
        stepEpochs?: number;
        /**
         * What the rate is multiplied by then (Step). Absent, 0.1.
         */
        gamma?: string;
        /**
         * The share of the steps in which the rate rises (OneCycle), below 1. Absent, 0.3.
         */
        warmUpShare?: string;
        /**
         * What the rate is divided by at the start (OneCycle), 1 or more. Absent, 25.
         */
        divFactor?: string;
        /**
         * What the rate at the start is divided by at the end (OneCycle), 1 or more. Absent, 10000.
         */
        finalDivFactor?: string;
      };
    };
    /**
     * Encoder and decoder together, validated after each epoch.
     */
    stage1?: {
      /**
       * Passes over the training images; 0 leaves the stage out.
       */
      epochs?: number;
      /**
       * Images in a step. A last batch that is not full is dropped. At least 2: one value has no variance.
       */
      batchSize?: number;
      /**
       * Step size of the encoder's optimiser (Adam), above 0.
       */
      encoderLearningRate?: string;
      /**
       * Step size of the decoder's optimiser (Adam), above 0.
       */
      decoderLearningRate?: string;
      /**
       * Weight of the L2 penalty, which is added to the gradient.
       */
      weightDecay?: string;
      /**
       * Decay of the weights' running mean, which is what is validated; at least 0 and below 1. Over fewer than 1 / (1 - decay) steps it is mostly the weights that the stage began with.
       */
      polyakDecay?: string;
      /**
       * The greatest norm of the encoder's and of the decoder's gradient, above 0.
       */
      gradientClip?: string;
      /**
       * How the learning rate changes over the steps of the stage. Constant: not at all. Polynomial: times (1 - step / steps)^power, known as poly. Step: times gamma after each stepEpochs epochs. OneCycle: along half cosines from the rate / divFactor up to the rate and down to the rate / (divFactor x finalDivFactor).
       */
      schedule?: {
        /**
         * The schedule's form.
         */
        type: "Constant" | "Polynomial" | "Step" | "OneCycle";
        /**
         * The exponent (Polynomial). Absent, 0.9.
         */
        power?: string;
        /**
         * After how many epochs the rate falls, again and again (Step).
         */
        stepEpochs?: number;
        /**
         * What the rate is multiplied by then (Step). Absent, 0.1.
         */
        gamma?: string;
        /**
         * The share of the steps in which the rate rises (OneCycle), below 1. Absent, 0.3.
         */
        warmUpShare?: string;
        /**
         * What the rate is divided by at the start (OneCycle), 1 or more. Absent, 25.
         */
        divFactor?: string;
        /**
         * What the rate at the start is divided by at the end (OneCycle), 1 or more. Absent, 10000.
         */
        finalDivFactor?: string;
      };
    };
    /**
     * Where cross-entropy is taken. LogitsSize: labels are brought to the size of the logits. FullSize: logits are brought to the size of the labels.
     */
    loss?: "LogitsSize" | "FullSize";
    /**
     * What each class weighs in the loss, which is the weighted mean over the pixels. None: all the same. Balanced: by median frequency balancing (arXiv 1411.4734), the median of the classes' frequencies in the training labels / the class's own, each in the images that the class occurs in. Given: the weights written here.
     */
    classWeights?: {
      /**
       * Where the weights come from.
       */
      type: "None" | "Balanced" | "Given";
      /**
       * A weight for each class, in their order, one at least above 0 (Given).
       *
       * Items: A weight of 0 or more.
       */
      weights?: string[];
    };
    /**
     * Whether the running mean of the weights takes their place at the end of each epoch. With true, and statisticsBatches 0, it is done as in the paper's published code; absent, the preset's.
     */
    copyAverages?: boolean;
    /**
     * Training batches that recompute the batch normalisation statistics of the averaged weights before a validation; 0 keeps those of training.
     */
    statisticsBatches?: number;
    /**
     * A trial that trains for longer fails, with the failure reward. Counted by the trainer from its first step.
     */
    timeLimitSeconds?: number;
  };
  /**
   * CandidateTrials that are kept once they are in the ledger, beside the best ones; older ones are deleted. What was measured of them stays in the ledger.
   */
  trialsHistoryLimit: number;
  /**
   * The LocalQueue of Kueue that the trials' Jobs wait in; at most 63 characters, as it becomes a label's value. Holds for attempts to come.
   */
  queueName?: string;
  /**
   * The pod that trains a trial, as Kubernetes knows pod templates, with a container named trainer. Changes hold for attempts to come. Searches on one machine use the trainer container's resources.limits (memory, cpu) and env only.
   */
  trialTemplate?: {
    /**
     * Labels and annotations for the pods.
     */
    metadata?: {
      /**
       * Labels for the pods.
       */
      labels?: {
        [k: string]: string;
      };
      /**
       * Annotations for the pods.
       */
      annotations?: {
        [k: string]: string;
      };
    };
    /**
     * A pod spec. Its fields are those of Kubernetes (kubectl explain pod.spec); the API server judges them when the search starts.
     */
    spec?: {
      /**
       * The pod's containers, one of them named trainer.
       *
       * Items: A container. Fields that are not listed here are those of Kubernetes too.
       */
      containers: {
        /**
         * The container's name; trainer is the one that trains.
         */
        name: string;
        /**
         * Environment variables. SEGNAS_TRIAL, SEGNAS_RESULT and SEGNAS_PORT are the operator's own.
         *
         * Items: An environment variable.
         */
        env?: {
          /**
           * The variable's name.
           */
          name: string;
          /**
           * The variable's value.
           */
          value?: string;
          [k: string]: unknown;
        }[];
        /**
         * What the container asks for and is held to.
         */
        resources?: {
          /**
           * The most that it gets, such as memory, cpu, nvidia.com/gpu.
           */
          limits?: {
            /**
             * A quantity, such as 4Gi, 500m or 1.
             */
            [k: string]: number | string;
          };
          /**
           * What is kept free for it.
           */
          requests?: {
            /**
             * A quantity, such as 4Gi, 500m or 1.
             */
            [k: string]: number | string;
          };
          [k: string]: unknown;
        };
        [k: string]: unknown;
      }[];
      [k: string]: unknown;
    };
  };
}
/**
 * What the operator has seen and done. Not for people to write.
 */
export interface ArchitectureSearchStatus {
  /**
   * The generation of spec that this status speaks of.
   */
  observedGeneration?: number;
  /**
   * Progressing: trials are being made or trained. Stalled: something keeps the search from going on that a person can remove. Suspended: spec.suspend is true. Complete: the search has ended by itself. Failed: it has ended without reaching its goal.
   */
  conditions?: Condition[];
  /**
   * How many trials there are, by state.
   */
  trials?: {
    /**
     * Made, but not training yet.
     */
    pending: number;
    /**
     * Training.
     */
    running: number;
    /**
     * Trained, with a reward.
     */
    succeeded: number;
    /**
     * Failed for good.
     */
    failed: number;
    /**
     * Over a constraint, and so never trained.
     */
    rejected: number;
    /**
     * Deleted by a person before their end.
     */
    deleted: number;
    /**
     * Those of them that are in the ledger.
     */
    settled?: number;
    /**
     * Those of the above that have got the result of an earlier trial with the same network.
     */
    reused?: number;
    /**
     * Those of the succeeded that the gate has stopped on the way.
     */
    stopped?: number;
  };
  /**
   * How many trials the ledger holds, those that are taken over from another search among them.
   */
  entries?: number;
  /**
   * How many of the entries are taken over from the search that startingPoints.search names.
   */
  imported?: number;
  /**
   * How often the policy has learned.
   */
  policyUpdates?: number;
  /**
   * The policy's mean entropy for each decision, in nats. It falls as the policy makes up its mind.
   */
  policyEntropy?: string;
  /**
   * When the first trial was made.
   */
  startTime?: string;
  /**
   * When the search ended.
   */
  completionTime?: string;
  /**
   * The trial with the best reward.
   */
  best?: {
    /**
     * The trial's name.
     */
    trial: string;
    /**
     * The trial's number in the search; of one that was taken over, below 0.
     */
    index: number;
    /**
     * The search that trained it, where that is another one.
     */
    source?: string;
    /**
     * Its reward.
     */
    reward: string;
    /**
     * Its mean intersection over union, on the held-out part.
     */
    meanIoU: string;
    /**
     * Its network's parameters.
     */
    parameters: number;
  };
  /**
   * The trials with the best rewards, best first.
   *
   * Items: A trial in short.
   */
  top?: {
    /**
     * The trial's name.
     */
    trial: string;
    /**
     * The trial's number in the search; of one that was taken over, below 0.
     */
    index: number;
    /**
     * The search that trained it, where that is another one.
     */
    source?: string;
    /**
     * Its reward.
     */
    reward: string;
    /**
     * Its mean intersection over union, on the held-out part.
     */
    meanIoU: string;
    /**
     * Its network's parameters.
     */
    parameters: number;
  }[];
  /**
   * Trials that no other beats in both reward and number of parameters, smallest first.
   *
   * Items: A trial in short.
   */
  paretoFront?: {
    /**
     * The trial's name.
     */
    trial: string;
    /**
     * The trial's number in the search; of one that was taken over, below 0.
     */
    index: number;
    /**
     * The search that trained it, where that is another one.
     */
    source?: string;
    /**
     * Its reward.
     */
    reward: string;
    /**
     * Its mean intersection over union, on the held-out part.
     */
    meanIoU: string;
    /**
     * Its network's parameters.
     */
    parameters: number;
  }[];
  /**
   * GPU time spent by all attempts that have ended, those that failed too.
   */
  gpuSeconds?: string;
}
