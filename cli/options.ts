// What is written after an option, read and checked: the one place and the one wording for its mistakes.
import { quoted } from "@segnas/operator/web/page/elsewhere.ts";
import { UserError } from "@segnas/searchspace/errors.ts";
import { range } from "@segnas/searchspace/fields.ts";
import { Option } from "commander";

/** An option's value is none that it takes; `write` says what is. */
export const wrongValue = (option: string, value: string, write: string): UserError =>
  new UserError(`${option} ${quoted(value)}: write ${write}`);

/** Words to choose from, in a sentence: "text, json or svg". */
export const anyOf = (words: readonly string[]): string =>
  new Intl.ListFormat("en-GB", { type: "disjunction" }).format(words);

/** Reads a whole number, however great where there is no `to`. Throws UserError naming the option. */
export const wholeNumber = (option: string, from: number, to?: number) => (value: string) => {
  const number = Number(value);
  const most = to ?? Number.MAX_SAFE_INTEGER;
  if (/^-?\d+$/.test(value) && number >= from && number <= most) return number;
  const write = to === undefined ? `a whole number of at least ${from}` : range(from, to);
  throw wrongValue(option, value, write);
};

/** Reads a folder, which need not be there. Throws UserError naming the option for none. */
export const folderName = (option: string) => (value: string) => {
  if (value.trim() !== "") return value;
  throw wrongValue(option, value, "a folder");
};

/** An option that takes one of some words; its help lists them. Another word is a UserError. */
export function choiceOption(flags: string, description: string, words: readonly string[]): Option {
  const option = new Option(flags, description).choices(words);
  return option.argParser((value) => {
    if (words.includes(value)) return value;
    throw wrongValue(option.long!, value, anyOf(words));
  });
}
