/**
 * Structured logs: one JSON object a line for machines, one readable line at a terminal.
 * Credentials and addresses are struck out by name; they should not be logged in the first place.
 */
import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import type { LogSettings } from './config.js';

export type { Logger } from 'pino';

/** Names that are struck out at the top of a line's fields, and one and two levels down. */
const SECRET_FIELDS = [
  'authorization',
  'apiKey',
  'adminKey',
  'secret',
  'secrets',
  'sealKeys',
  'password',
  'token',
  'webhookUrl',
  'databaseUrl',
  'connectionString',
];
const REDACTED_PATHS = SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

export interface LogOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Logs go to standard error, so that answers of commands stay alone on standard output. */
export function createLog(settings: LogSettings, output: LogOutput = process.stderr): Logger {
  const isPretty =
    settings.format === 'pretty' || (settings.format === 'auto' && output.isTTY === true);
  const stream: DestinationStream = {
    write: (line) => {
      output.write(isPretty ? prettyLine(line) : line);
    },
  };
  return pino(
    {
      level: settings.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED_PATHS, censor: '[struck out]' },
    },
    stream,
  );
}

/** `{"level":"warn","time":…,"msg":"late","ms":3}` -> `12:00:01.250 WARN  late ms=3` */
export function prettyLine(line: string): string {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const { time, level, msg, err, ...rest } = fields;
  const clock = typeof time === 'string' ? time.slice(11, 23) : '';
  const word = String(level).toUpperCase().padEnd(5);
  const pairs = Object.entries(rest).map(([name, value]) => ` ${name}=${short(value)}`);
  return `${clock} ${word} ${String(msg)}${pairs.join('')}${stackOf(err)}\n`;
}

function short(value: unknown): string {
  return typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value);
}

function stackOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message } = error as { stack?: string; message?: string };
  return `\n  ${(stack ?? message ?? '').replaceAll('\n', '\n  ')}`;
}
