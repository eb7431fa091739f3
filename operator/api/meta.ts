// The parts of Kubernetes' own API types that segnas' objects are made of.

/** Who an object belongs to: it is deleted with its owner. */
export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

/** metav1.ObjectMeta, as far as it is used. What the store fills in is optional. */
export interface ObjectMeta {
  name: string;
  namespace?: string;
  uid?: string;
  /** Changes with every write; opaque. */
  resourceVersion?: string;
  /** Counts changes of spec. */
  generation?: number;
  /** RFC 3339, to the second. */
  creationTimestamp?: string;
  /** Set where deletion was asked for and finalizers still hold the object. */
  deletionTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  ownerReferences?: OwnerReference[];
  finalizers?: string[];
}

/** metav1.Condition. */
export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  observedGeneration?: number;
  /** RFC 3339, to the second. */
  lastTransitionTime: string;
  reason: string;
  message: string;
}
