// HTML as data: a template tag that escapes every value put into it.

/** Markup that is already safe: made by `html`, or by `trusted` from a drawing of our own. */
export interface Markup {
  readonly markup: string;
}
type Value = string | number | undefined | Markup | readonly Value[];

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes text for element content and for attribute values in quotes. */
const escapeText = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);

function render(value: Value): string {
  if (value === undefined) return "";
  if (typeof value === "string" || typeof value === "number") return escapeText(String(value));
  return "markup" in value ? value.markup : value.map(render).join("");
}

/** Escapes strings and numbers, keeps Markup, joins arrays, drops undefined. */
export const html = (parts: TemplateStringsArray, ...values: Value[]): Markup => ({
  markup: parts.reduce((text, part, i) => text + render(values[i - 1]) + part),
});

/** Markup of our own making, such as a chart: never a person's text. */
export const trusted = (markup: string): Markup => ({ markup });
