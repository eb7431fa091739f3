// A table in text: columns as wide as their widest cell, two spaces apart.

export interface Column {
  title: string;
  align: "left" | "right";
}

/** Lines of the table, the titles first, without trailing spaces. */
export function textTable(columns: readonly Column[], rows: string[][]): string[] {
  const cells = [columns.map((column) => column.title), ...rows];
  const widths = columns.map((_, c) => Math.max(...cells.map((row) => (row[c] ?? "").length)));
  return cells.map((row) =>
    columns
      .map(({ align }, c) =>
        align === "left" ? (row[c] ?? "").padEnd(widths[c]!) : (row[c] ?? "").padStart(widths[c]!),
      )
      .join("  ")
      .trimEnd(),
  );
}
