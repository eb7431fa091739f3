// Non-negative least squares: the x >= 0 with the smallest |A x - b|^2, by coordinate descent on the normal
// equations (Franc, Hlaváč and Navara, "Sequential coordinate-wise algorithm for the non-negative least squares
// problem", CAIP 2005). It needs no inverse, so columns that depend on each other do no harm.

/** Sweeps over all coordinates at most. */
const SWEEPS = 1_000_000;
/** The residual's slope along a column is zero when this small beside the column's slope at x = 0. */
const TOLERANCE = 1e-9;

/** `rows` are A's (all of one length), `targets` are b. A column of zeros gets 0. Deterministic. */
export function nonNegativeLeastSquares(rows: number[][], targets: number[]): number[] {
  const columns = rows[0]?.length ?? 0;
  const dot = (i: number, other: (row: number) => number) =>
    rows.reduce((sum, row, r) => sum + row[i]! * other(r), 0);
  const gram = Array.from({ length: columns }, (_, i) =>
    Array.from({ length: columns }, (_, j) => dot(i, (r) => rows[r]![j]!)),
  );
  const x = new Array<number>(columns).fill(0);
  // The gradient A'(A x - b), kept up to date as x moves.
  const gradient = x.map((_, i) => -dot(i, (r) => targets[r]!));
  const scale = gradient.map(Math.abs);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    let settled = true;
    for (let i = 0; i < columns; i++) {
      const curvature = gram[i]![i]!;
      if (curvature === 0) continue;
      const step = Math.max(0, x[i]! - gradient[i]! / curvature) - x[i]!;
      if (step === 0) continue;
      if (Math.abs(step) * curvature > TOLERANCE * scale[i]!) settled = false;
      x[i]! += step;
      for (let j = 0; j < columns; j++) gradient[j]! += step * gram[i]![j]!;
    }
    if (settled) break;
  }
  return x;
}
