// What is written after an option: what is taken, and the one wording for what is not.
import assert from "node:assert/strict";
import { test } from "node:test";
import { anyOf, choiceOption, folderName, wholeNumber } from "@segnas/cli/options.ts";
import { UserError } from "@segnas/searchspace/errors.ts";

test("a whole number within a range, as a port is", () => {
  const port = wholeNumber("--page", 0, 65_535);
  assert.deepEqual(["0", "8421", "65535"].map(port), [0, 8421, 65_535]);
  for (const value of ["-1", "65536", "http", "80.5", "0x50", "1e3"])
    assert.throws(() => port(value), new UserError(`--page ${value}: write a whole number from 0 to 65535`));
  assert.throws(() => port(""), new UserError("--page '': write a whole number from 0 to 65535"));
});

test("a whole number without an end, as far as it is exact", () => {
  const trials = wholeNumber("--max-trials", 1);
  assert.equal(trials("9007199254740991"), Number.MAX_SAFE_INTEGER);
  for (const value of ["0", "9007199254740992"])
    assert.throws(
      () => trials(value),
      new UserError(`--max-trials ${value}: write a whole number of at least 1`),
    );
});

test("a folder", () => {
  assert.equal(folderName("--state")("a b"), "a b");
  assert.throws(() => folderName("--state")(" "), new UserError("--state ' ': write a folder"));
});

test("one of some words, which the help lists", () => {
  const option = choiceOption("-o, --output <format>", "what", ["text", "json", "svg"]);
  assert.equal(option.parseArg!("svg", undefined), "svg");
  assert.deepEqual(option.argChoices, ["text", "json", "svg"]);
  assert.throws(
    () => option.parseArg!("a b", undefined),
    new UserError("--output 'a b': write text, json or svg"),
  );
  assert.equal(anyOf(["text", "json"]), "text or json");
});
