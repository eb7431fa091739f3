// The matrix products of an LSTM and its gradient, on row-major Float64Arrays. Each keeps a small tile of sums in
// registers; `width` and `depth` (400 gates, 200 inputs) must be multiples of 8, `rows` may be any number.

/** c[rows, width] = a[rows, depth] b[width, depth]^T, reading a from `aAt` and writing c from `cAt`. */
export function multiplyTransposed(
  a: Float64Array,
  aAt: number,
  b: Float64Array,
  c: Float64Array,
  cAt: number,
  rows: number,
  width: number,
  depth: number,
): void {
  let row = 0;
  for (; row + 1 < rows; row += 2) {
    const a0 = aAt + row * depth;
    for (let column = 0; column < width; column += 4) {
      let s00 = 0;
      let s01 = 0;
      let s02 = 0;
      let s03 = 0;
      let s10 = 0;
      let s11 = 0;
      let s12 = 0;
      let s13 = 0;
      let at = column * depth;
      for (let k = a0; k < a0 + depth; k++, at++) {
        const x0 = a[k]!;
        const x1 = a[k + depth]!;
        const y0 = b[at]!;
        const y1 = b[at + depth]!;
        const y2 = b[at + 2 * depth]!;
        const y3 = b[at + 3 * depth]!;
        s00 += x0 * y0;
        s01 += x0 * y1;
        s02 += x0 * y2;
        s03 += x0 * y3;
        s10 += x1 * y0;
        s11 += x1 * y1;
        s12 += x1 * y2;
        s13 += x1 * y3;
      }
      const to = cAt + row * width + column;
      c[to] = s00;
      c[to + 1] = s01;
      c[to + 2] = s02;
      c[to + 3] = s03;
      c[to + width] = s10;
      c[to + width + 1] = s11;
      c[to + width + 2] = s12;
      c[to + width + 3] = s13;
    }
  }
  if (row < rows) {
    const a0 = aAt + row * depth;
    for (let column = 0; column < width; column += 8) {
      let s0 = 0;
      let s1 = 0;
      let s2 = 0;
      let s3 = 0;
      let s4 = 0;
      let s5 = 0;
      let s6 = 0;
      let s7 = 0;
      let at = column * depth;
      for (let k = a0; k < a0 + depth; k++, at++) {
        const x = a[k]!;
        s0 += x * b[at]!;
        s1 += x * b[at + depth]!;
        s2 += x * b[at + 2 * depth]!;
        s3 += x * b[at + 3 * depth]!;
        s4 += x * b[at + 4 * depth]!;
        s5 += x * b[at + 5 * depth]!;
        s6 += x * b[at + 6 * depth]!;
        s7 += x * b[at + 7 * depth]!;
      }
      const to = cAt + row * width + column;
      c[to] = s0;
      c[to + 1] = s1;
      c[to + 2] = s2;
      c[to + 3] = s3;
      c[to + 4] = s4;
      c[to + 5] = s5;
      c[to + 6] = s6;
      c[to + 7] = s7;
    }
  }
}

/** to[columns, rows] = from[rows, columns]^T. */
export function transpose(from: Float64Array, to: Float64Array, rows: number, columns: number): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) to[column * rows + row] = from[row * columns + column]!;
  }
}

/** c[width, depth] += a[rows, width]^T b[rows, depth]. */
export function addOuterProducts(
  a: Float64Array,
  b: Float64Array,
  c: Float64Array,
  rows: number,
  width: number,
  depth: number,
): void {
  for (let i = 0; i < width; i += 4) {
    for (let j = 0; j < depth; j += 2) {
      let s00 = 0;
      let s01 = 0;
      let s10 = 0;
      let s11 = 0;
      let s20 = 0;
      let s21 = 0;
      let s30 = 0;
      let s31 = 0;
      let p = i;
      let q = j;
      for (let row = 0; row < rows; row++, p += width, q += depth) {
        const x0 = a[p]!;
        const x1 = a[p + 1]!;
        const x2 = a[p + 2]!;
        const x3 = a[p + 3]!;
        const y0 = b[q]!;
        const y1 = b[q + 1]!;
        s00 += x0 * y0;
        s01 += x0 * y1;
        s10 += x1 * y0;
        s11 += x1 * y1;
        s20 += x2 * y0;
        s21 += x2 * y1;
        s30 += x3 * y0;
        s31 += x3 * y1;
      }
      let to = i * depth + j;
      c[to] = c[to]! + s00;
      c[to + 1] = c[to + 1]! + s01;
      to += depth;
      c[to] = c[to]! + s10;
      c[to + 1] = c[to + 1]! + s11;
      to += depth;
      c[to] = c[to]! + s20;
      c[to + 1] = c[to + 1]! + s21;
      to += depth;
      c[to] = c[to]! + s30;
      c[to + 1] = c[to + 1]! + s31;
    }
  }
}
