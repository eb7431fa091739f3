// The one matrix product that the policy's network needs, two float64 numbers at a time: a WebAssembly function,
// assembled here by hand. WebAssembly's arithmetic is the same to the bit on every machine.

/** Columns of a panel of `b`: what the function holds in four registers of two numbers. */
export const PANEL = 8;

/**
 * c[rows, columns] = a[rows, depth] b[depth, columns], or that added to c. All are float64 at byte addresses of
 * `memory`: a and c row-major, b in panels [columns / 8, depth, 8]. `columns` is a multiple of 8.
 */
export type Multiply = (
  a: number,
  b: number,
  c: number,
  rows: number,
  columns: number,
  depth: number,
  add: 0 | 1,
) => void;

/** What is used of WebAssembly, whose types come with browsers' only. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: { memory: { buffer: ArrayBuffer }; multiply: Multiply } };
};
const PAGE = 65536;

/** The function and its memory of at least so many bytes. */
export function newKernel(bytes: number): { memory: Float64Array; multiply: Multiply } {
  const module = new WebAssembly.Module(moduleBytes(Math.ceil(bytes / PAGE)));
  const { memory, multiply } = new WebAssembly.Instance(module).exports;
  return { memory: new Float64Array(memory.buffer), multiply };
}

type Code = number[];

// Instructions, by their names in the WebAssembly specification.
const I32 = 0x7f;
const V128 = 0x7b;
const EMPTY = 0x40;
const end = 0x0b;
const add = 0x6a;
const shl = 0x74;
const and = 0x71;
const ltUnsigned = 0x49;
const vector = (operation: number, ...more: number[]) => [0xfd, ...unsigned(operation), ...more];
const ALIGN = 3;
const load = (offset: number) => vector(0x00, ALIGN, ...unsigned(offset));
const loadSplat = (offset: number) => vector(0x0a, ALIGN, ...unsigned(offset));
const store = (offset: number) => vector(0x0b, ALIGN, ...unsigned(offset));
const zeros = vector(0x0c, ...new Array<number>(16).fill(0));
const addPairs = vector(0xf0);
const multiplyPairs = vector(0xf2);
const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const constant = (value: number) => [0x41, ...signed(value)];
const increase = (local: number, by: Code) => [...get(local), ...by, add, ...set(local)];
const times8 = [...constant(3), shl];
/** Runs the body, then again while the condition holds. */
const loop = (body: Code, condition: Code) => [0x03, EMPTY, ...body, ...condition, 0x0d, 0, end];
const when = (condition: Code, body: Code, otherwise: Code = []) => [
  ...condition,
  0x04,
  EMPTY,
  ...body,
  ...(otherwise.length > 0 ? [0x05, ...otherwise] : []),
  end,
];

// Locals: the arguments, then addresses, then vectors.
const [A, B, C, ROWS, COLUMNS, DEPTH, ADD] = [0, 1, 2, 3, 4, 5, 6] as const;
/** Where the tile reads a (and its next row) and b, where b's panel ends, where it writes c, and rows left. */
const [A_AT, A_NEXT, B_AT, B_END, C_AT, LEFT, BYTES, WIDTH] = [7, 8, 9, 10, 11, 12, 13, 14] as const;
const FACTOR = [15, 16] as const;
const PAIR = 17;
const SUMS = 18;
const PAIRS = PANEL / 2;
const [ADDRESSES, VECTORS] = [8, 3 + 2 * PAIRS];

const sumAt = (row: number, pair: number) => SUMS + row * PAIRS + pair;

/** Sums of one or two rows of c by one panel, in registers over the whole depth. */
function tile(rows: 1 | 2): Code {
  const places = Array.from({ length: rows * PAIRS }, (_, i) => [Math.floor(i / PAIRS), i % PAIRS] as const);
  const cRow = (row: number) => (row === 0 ? get(C_AT) : [...get(C_AT), ...get(WIDTH), add]);
  const body = [
    ...(rows === 2
      ? [...get(A_NEXT), ...loadSplat(0), ...set(FACTOR[1]), ...increase(A_NEXT, constant(8))]
      : []),
    ...[...get(A_AT), ...loadSplat(0), ...set(FACTOR[0]), ...increase(A_AT, constant(8))],
    ...Array.from({ length: PAIRS }, (_, pair) => [
      ...[...get(B_AT), ...load(16 * pair), ...set(PAIR)],
      ...Array.from({ length: rows }, (_, row) => [
        ...[...get(sumAt(row, pair)), ...get(PAIR), ...get(FACTOR[row]!), ...multiplyPairs, ...addPairs],
        ...set(sumAt(row, pair)),
      ]).flat(),
    ]).flat(),
    ...increase(B_AT, constant(8 * PANEL)),
  ];
  return [
    ...when(
      get(ADD),
      places.flatMap(([row, pair]) => [...cRow(row), ...load(16 * pair), ...set(sumAt(row, pair))]),
      places.flatMap(([row, pair]) => [...zeros, ...set(sumAt(row, pair))]),
    ),
    ...[...get(B), ...set(B_AT), ...get(A_AT), ...get(BYTES), add, ...set(A_NEXT)],
    ...loop(body, [...get(B_AT), ...get(B_END), ltUnsigned]),
    ...places.flatMap(([row, pair]) => [...cRow(row), ...get(sumAt(row, pair)), ...store(16 * pair)]),
  ];
}

/** Panels of b outside, so that each stays in the nearest cache while all rows of a pass by. */
function multiplyCode(): Code {
  const twoRows = [
    ...tile(2),
    ...[...get(A_NEXT), ...set(A_AT)],
    ...increase(C_AT, [...get(WIDTH), ...constant(1), shl]),
    ...increase(LEFT, constant(-2)),
  ];
  const panel = [
    ...[...get(A), ...set(A_AT), ...get(C), ...set(C_AT), ...get(ROWS), ...set(LEFT)],
    ...[...get(B), ...get(DEPTH), ...constant(6), shl, add, ...set(B_END)],
    ...when([...get(ROWS), ...constant(1), 0x4b], loop(twoRows, [...get(LEFT), ...constant(1), 0x4b])),
    ...when([...get(LEFT), ...constant(1), and], tile(1)),
    ...[...get(B_END), ...set(B)],
    ...increase(C, constant(8 * PANEL)),
    ...increase(COLUMNS, constant(-PANEL)),
  ];
  return [
    ...[...get(DEPTH), ...times8, ...set(BYTES), ...get(COLUMNS), ...times8, ...set(WIDTH)],
    ...loop(panel, get(COLUMNS)),
    end,
  ];
}

function moduleBytes(pages: number): Uint8Array {
  const section = (id: number, items: Code[]) => {
    const content = [...unsigned(items.length), ...items.flat()];
    return [id, ...unsigned(content.length), ...content];
  };
  const name = (text: string) => [text.length, ...new TextEncoder().encode(text)];
  const body = [2, ADDRESSES, I32, VECTORS, V128, ...multiplyCode()];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [[0x60, 7, ...new Array<number>(7).fill(I32), 0]]),
    ...section(3, [[0]]),
    ...section(5, [[0, ...unsigned(pages)]]),
    ...section(7, [
      [...name("memory"), 2, 0],
      [...name("multiply"), 0, 0],
    ]),
    ...section(10, [[...unsigned(body.length), ...body]]),
  ]);
}

/** LEB128. */
function unsigned(value: number): Code {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  return value >= -64 && value < 64 ? [value & 127] : [(value & 127) | 128, ...signed(value >> 7)];
}
