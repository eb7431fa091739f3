// What is logged: a line for each event that matters, as JSON for programs or in words for a terminal.
import { Writable } from "node:stream";
import { createLogger, format, type Logger, transports } from "winston";

/** What matters most first. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A log whose lines `write` is given, each with its end. */
export function openLog(level: LogLevel, isTerminal: boolean, write: (line: string) => void): Logger {
  const lines = new Writable({
    write(line, _, done) {
      write(String(line));
      done();
    },
  });
  return createLogger({
    level,
    format: isTerminal
      ? format.combine(format.timestamp({ format: "HH:mm:ss" }), inWords)
      : format.combine(format.timestamp(), format.json()),
    transports: [new transports.Stream({ stream: lines })],
  });
}

/** 12:00:00 info trial entered search=quickstart trial=quickstart-3 */
const inWords = format.printf(({ timestamp, level, message, ...about }) =>
  [
    timestamp,
    level,
    message,
    ...Object.entries(about).map(([name, value]) => `${name}=${plain(value)}`),
  ].join(" "),
);

/** In quotes only where it could not be told from what follows. */
const plain = (value: unknown): string =>
  typeof value === "string" && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
