// The page that tells what every metric means, as Markdown.

export interface MetricText {
  name: string;
  type: string;
  labels: readonly string[];
  help: string;
}

export interface Section {
  title: string;
  text: string;
  metrics: MetricText[];
}

const INTRODUCTION = `<!-- Made from the code by operator/metrics/generate.ts: npm run generate. -->
# Metrics

The operator serves Prometheus's text format at \`/metrics\` on its port; the trainer on port 9090 of its pod. The
chart's \`podMonitor\` (or \`serviceMonitor\`) and \`trainerMonitor\` tell the Prometheus operator of them. Its
\`dashboards\` and \`alerts\` show and watch what stands here; [runbooks](runbooks.md) tell what to do about an alert. A Prometheus without that
operator reads [alerts.yaml](../charts/segnas/alerts.yaml) as it is.

- Series of a search carry its \`namespace\` and its name (\`search\`): keep them as they come (\`honorLabels\`, which the
  chart's monitors set). They vanish with the search.
- Only the replica that leads tells of searches. From a standby come the metrics of its own process and watches.
- Nothing has a label whose values grow without bound; what the trainer serves gets the trial's name from its pod.`;

/** A cell of a table. */
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** The page: a table for each section. */
export function metricsPage(sections: Section[]): string {
  const parts = sections.map(({ title, text, metrics }) =>
    [
      `## ${title}`,
      text,
      [
        "| name | type | labels | meaning |",
        "| --- | --- | --- | --- |",
        ...metrics.map(
          ({ name, type, labels, help }) =>
            `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${cell(help)} |`,
        ),
      ].join("\n"),
    ].join("\n\n"),
  );
  return `${[INTRODUCTION, ...parts].join("\n\n")}\n`;
}
