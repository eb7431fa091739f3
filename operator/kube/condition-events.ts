// What a status write has to tell people: events out of the object before and after it. Pure.
import { SearchCondition, SearchReason, TrialCondition, TrialReason } from "../api/conditions.ts";
import type { ArchitectureSearch } from "../api/generated/architecturesearches.ts";
import type { CandidateTrial } from "../api/generated/candidatetrials.ts";
import type { Condition } from "../api/meta.ts";
import type { Attempt } from "../controllers/candidatetrial/decide.ts";
import { AttemptCause } from "../controllers/candidatetrial/outcome.ts";
import type { ObjectEvent } from "./events.ts";

/** What a status write has to tell: one event for one thing, none for counts that go on. */
export function conditionEvents<T extends ArchitectureSearch | CandidateTrial>(
  before: T,
  after: T,
): ObjectEvent[] {
  return after.kind === "ArchitectureSearch"
    ? searchEvents(before as ArchitectureSearch, after)
    : trialEvents(before as CandidateTrial, after);
}

function searchEvents(before: ArchitectureSearch, after: ArchitectureSearch): ObjectEvent[] {
  const became = (type: string) => turned(before, after, type);
  const failed = became(SearchCondition.Failed);
  if (failed) return [event("Warning", failed)];
  const complete = became(SearchCondition.Complete);
  if (complete) return [event("Normal", complete)];
  const suspended = became(SearchCondition.Suspended);
  if (suspended) return [event("Normal", suspended)];
  const events: ObjectEvent[] = [];
  const progressing = became(SearchCondition.Progressing);
  const was = condition(before, SearchCondition.Progressing);
  if (progressing?.reason === SearchReason.WaitingForPods) events.push(event("Warning", progressing));
  // That trials train again after they waited, they tell themselves.
  else if (progressing && was?.status !== "True")
    events.push(event("Normal", progressing, was ? "Resumed" : progressing.reason));
  const stalled = became(SearchCondition.Stalled);
  if (stalled) events.push(event("Warning", stalled));
  const cleared = turned(after, before, SearchCondition.Stalled) && condition(after, SearchCondition.Stalled);
  if (cleared?.reason === SearchReason.Searching) events.push(event("Normal", cleared, "Recovered"));
  return events;
}

function trialEvents(before: CandidateTrial, after: CandidateTrial): ObjectEvent[] {
  const ended =
    turned(before, after, TrialCondition.Failed) ?? turned(before, after, TrialCondition.Complete);
  // What was rejected or deleted is nothing to worry about.
  if (ended) return [event(after.status?.result?.outcome === "Failed" ? "Warning" : "Normal", ended)];
  const open = before.status?.attempts?.filter(({ endTime }) => endTime === undefined) ?? [];
  const events = open.flatMap(({ number }): ObjectEvent[] => {
    const attempt = after.status?.attempts?.find((other) => other.number === number);
    return attempt ? attemptEvents(attempt) : [];
  });
  const progressing = condition(after, TrialCondition.Progressing);
  if (progressing?.status !== "True") return events;
  if (progressing.reason === TrialReason.Running) {
    if (turned(before, after, TrialCondition.Progressing)) events.push(event("Normal", progressing));
    return events;
  }
  const obstacle = obstacleOf(progressing);
  if (obstacle && obstacle !== obstacleOf(condition(before, TrialCondition.Progressing)))
    events.push(event("Warning", progressing, obstacle));
  return events;
}

/** The end of an attempt that came to nothing; none where it has not ended so. */
export function attemptEvents({ number, endTime, cause, message }: Attempt): ObjectEvent[] {
  if (endTime === undefined || cause === undefined) return [];
  const type = cause === AttemptCause.Suspended ? "Normal" : "Warning";
  return [{ type, reason: cause, note: `attempt ${number}: ${message ?? "ended"}` }];
}

const condition = (object: ArchitectureSearch | CandidateTrial, type: string): Condition | undefined =>
  object.status?.conditions?.find((condition) => condition.type === type);

/** The condition, where it has become true or is true for another reason than before. */
function turned<T extends ArchitectureSearch | CandidateTrial>(before: T, after: T, type: string) {
  const [was, is] = [condition(before, type), condition(after, type)];
  return is?.status === "True" && (was?.status !== "True" || was.reason !== is.reason) ? is : undefined;
}

const event = (
  type: ObjectEvent["type"],
  { message, reason }: Condition,
  word: string = reason,
): ObjectEvent => ({ type, reason: word, note: message });

/** Kubernetes' own word for what an attempt waits for, with which the message then begins (see whyPending). */
const obstacleOf = ({ reason, message }: Partial<Condition> = {}): string | undefined =>
  reason === TrialReason.Pending
    ? /^(?:container \S+: )?([A-Z]\w*)(?:: |$)/.exec(message ?? "")?.[1]
    : undefined;
