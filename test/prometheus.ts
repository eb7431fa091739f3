// Prometheus and promtool, where tests find them.
import { missingPrograms } from "./debian.ts";

/** Why there is no Prometheus here; undefined where there is. */
export const noPrometheus = (): string | undefined =>
  missingPrograms(["prometheus", "promtool"], "Prometheus and promtool are", "prometheus");
