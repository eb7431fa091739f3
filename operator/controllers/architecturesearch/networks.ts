// What the networks of a search have in common.
import type { NetworkSettings } from "@segnas/searchspace/architecture.ts";
import type { ArchitectureSearch } from "../../api/generated/architecturesearches.ts";

/** Classes of a data set that does not say. Folder always says. */
const CLASSES = { CityScapes: 19, Shapes: 6, Folder: 0 };

/** How networks are made from architectures. */
export function networkSettings({ spec }: ArchitectureSearch): NetworkSettings {
  return { ...spec.space, classes: spec.dataset.classes ?? CLASSES[spec.dataset.format] };
}

/** The size in pixels that networks are trained on, and counted at: the crop, or the paper's. */
export const inputSize = ({ spec }: ArchitectureSearch): { height: number; width: number } =>
  spec.training.crop ?? { height: 321, width: 321 };
