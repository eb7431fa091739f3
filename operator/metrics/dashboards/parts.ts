// What the dashboards are put together from: queries, panels and variables, all on one Prometheus that is chosen in
// the dashboard.
import type { Builder } from "@grafana/grafana-foundation-sdk/cog";
import {
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VisibilityMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  type Dashboard,
  DashboardBuilder,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  MappingType,
  type Panel,
  QueryVariableBuilder,
  RowBuilder,
  type ValueMapping,
  VariableRefresh,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { PanelBuilder as HeatmapBuilder } from "@grafana/grafana-foundation-sdk/heatmap";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TableBuilder } from "@grafana/grafana-foundation-sdk/table";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

const TAG = "segnas";
const DATASOURCE = { type: "prometheus", uid: "$datasource" };
const REF_IDS = "ABCDEFGHIJKLMNOP";

/** How a panel looks that is not its queries; widths are of 24. */
interface Look {
  /** Grafana's name of it: s, percentunit, bytes ... */
  unit?: string;
  decimals?: number;
  width?: number;
  height?: number;
  /** Where the axis begins. */
  min?: number;
  max?: number;
  /** 1 is shown as yes, 0 as no. */
  truth?: boolean;
  /** Series on top of each other. */
  stacked?: boolean;
}

/** PromQL, and how its series are named. */
export type Query = [expr: string, legend: string];

/** A panel as it is before its dashboard gives it a place. */
export type PanelParts = Builder<Panel>;

function query([expr, legend]: Query, i: number): DataqueryBuilder {
  return new DataqueryBuilder().refId(REF_IDS[i]!).datasource(DATASOURCE).expr(expr).legendFormat(legend);
}

type Settings<B> = {
  title: (title: string) => B;
  description: (text: string) => B;
  datasource: (reference: typeof DATASOURCE) => B;
  span: (width: number) => B;
  height: (height: number) => B;
  unit: (unit: string) => B;
  decimals: (decimals: number) => B;
};

/** What panels of every kind have. */
function dress<B extends Settings<B>>(panel: B, title: string, description: string, look: Look): B {
  panel.title(title).description(description).datasource(DATASOURCE);
  panel.span(look.width ?? 8).height(look.height ?? 8);
  if (look.unit !== undefined) panel.unit(look.unit);
  if (look.decimals !== undefined) panel.decimals(look.decimals);
  return panel;
}

/** Lines over time. */
export function lines(title: string, description: string, look: Look, ...queries: Query[]): PanelParts {
  const panel = dress(new TimeseriesBuilder(), title, description, look)
    .targets(queries.map((one, i) => query(one, i).range()))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
    .showPoints(VisibilityMode.Never)
    .fillOpacity(look.stacked ? 40 : 0);
  if (look.min !== undefined) panel.min(look.min);
  if (look.max !== undefined) panel.max(look.max);
  return look.stacked ? panel.stacking(new StackingConfigBuilder().mode(StackingMode.Normal)) : panel;
}

/** Shows 0, 1, 2 ... as words. */
const inWords = (words: string[]): ValueMapping[] => [
  {
    type: MappingType.ValueToText,
    options: Object.fromEntries(words.map((text, i) => [String(i), { text }])),
  } as ValueMapping,
];

/** The values of now, large. */
export function figure(title: string, description: string, look: Look, ...queries: Query[]): PanelParts {
  const panel = dress(new StatBuilder(), title, description, { width: 4, height: 4, ...look });
  if (look.truth) panel.mappings(inWords(["no", "yes"]));
  return panel
    .targets(queries.map((one, i) => query(one, i).instant()))
    .graphMode(BigValueGraphMode.None)
    .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]));
}

/** How a histogram's observations are spread, over time. */
export function spread(title: string, description: string, look: Look, expr: string): PanelParts {
  return dress(new HeatmapBuilder(), title, description, look).targets([
    query([expr, "{{le}}"], 0).format(PromQueryFormat.Heatmap).range(),
  ]);
}

/** A column of a table. */
export interface Column {
  title: string;
  expr: string;
  unit?: string;
  decimals?: number;
  /** What 0, 1, 2 ... are shown as. */
  words?: string[];
}

/** A row for each set of labels, and a column for each query. `link` is where a row's first label leads. */
export function table(
  title: string,
  description: string,
  look: Look,
  labels: string[],
  columns: Column[],
  link?: string,
): PanelParts {
  const names = Object.fromEntries(columns.map(({ title }, i) => [`Value #${REF_IDS[i]}`, title]));
  const panel = dress(new TableBuilder(), title, description, look)
    .targets(columns.map(({ expr }, i) => query([expr, ""], i).format(PromQueryFormat.Table).instant()))
    .transformations([
      { id: "merge", options: {} },
      { id: "organize", options: { excludeByName: { Time: true }, renameByName: names } },
    ]);
  for (const { title, unit, decimals, words } of columns)
    panel.overrideByName(title, [
      ...(unit === undefined ? [] : [{ id: "unit", value: unit }]),
      ...(decimals === undefined ? [] : [{ id: "decimals", value: decimals }]),
      ...(words === undefined ? [] : [{ id: "mappings", value: inWords(words) }]),
    ]);
  if (link !== undefined)
    panel.overrideByName(labels.at(-1)!, [{ id: "links", value: [{ title: "Open", url: link }] }]);
  return panel;
}

/** A variable with the values that a label of a metric has. */
export function labelVariable(name: string, metric: string, label: string, many: boolean) {
  const variable = new QueryVariableBuilder(name)
    .datasource(DATASOURCE)
    .query(`label_values(${metric}, ${label})`)
    .refresh(VariableRefresh.OnTimeRangeChanged);
  return many ? variable.multi(true).includeAll(true).allValue(".*") : variable;
}

export interface Page {
  uid: string;
  title: string;
  description: string;
  variables: QueryVariableBuilder[];
  rows: { title: string; panels: PanelParts[] }[];
}

/** The dashboard as Grafana reads it. */
export function pageOf({ uid, title, description, variables, rows }: Page): Dashboard {
  const dashboard = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags([TAG])
    .time({ from: "now-24h", to: "now" })
    .refresh("1m")
    .link(
      new DashboardLinkBuilder("segnas")
        .type(DashboardLinkType.Dashboards)
        .tags([TAG])
        .includeVars(true)
        .keepTime(true),
    )
    .withVariable(new DatasourceVariableBuilder("datasource").label("Prometheus").type("prometheus"));
  for (const variable of variables) dashboard.withVariable(variable);
  for (const { title, panels } of rows) {
    dashboard.withRow(new RowBuilder(title));
    for (const panel of panels) dashboard.withPanel(panel);
  }
  const built = dashboard.build();
  for (const [i, panel] of (built.panels ?? []).entries()) panel.id = i + 1;
  return built;
}
