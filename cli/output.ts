/**
 * What commands print: aligned text for people, one JSON document for machines. Colour only at a
 * terminal, and never where NO_COLOR is set (no-color.org).
 */

import { inItsLines } from '../domain/plain-text.js';

export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface Output {
  readonly isJson: boolean;
  /** One line to standard output; nothing in JSON mode. */
  line(text?: string): void;
  /** A table with a head; columns of numbers (`right`) are aligned right. Nothing in JSON mode. */
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void;
  /** The answer of the command in JSON mode; nothing otherwise. */
  json(value: unknown): void;
  paint(tone: Tone, text: string): string;
}

export interface Column {
  readonly head: string;
  readonly right?: boolean;
}

export type Tone = 'good' | 'warning' | 'bad' | 'quiet' | 'strong';

const CODES: Readonly<Record<Tone, number>> = {
  good: 32,
  warning: 33,
  bad: 31,
  quiet: 2,
  strong: 1,
};
const ESCAPES = /\u001b\[\d+m/g;
const SEGMENTER = new Intl.Segmenter();
const GAP = '  ';

export function createOutput(
  stream: OutputStream,
  options: { readonly json?: boolean; readonly env: Readonly<Record<string, string | undefined>> },
): Output {
  const isJson = options.json === true;
  const isColoured = stream.isTTY === true && !options.env['NO_COLOR'];
  const line = (text = ''): void => {
    if (!isJson) stream.write(`${harmless(text, isColoured)}\n`);
  };
  const paint = (tone: Tone, text: string): string =>
    isColoured ? `\u001b[${String(CODES[tone])}m${text}\u001b[0m` : text;
  return {
    isJson,
    line,
    paint,
    table: (columns, rows) => {
      const shown = rows.map((row) => row.map((cell) => cut(harmless(oneLine(cell), isColoured))));
      for (const row of layOut(columns, shown, (head) => paint('quiet', head))) line(row);
    },
    json: (value) => {
      if (isJson) stream.write(`${JSON.stringify(value, undefined, 2)}\n`);
    },
  };
}

/** The codes of `paint`, and the end of one. */
const OWN = /(\u001b\[(?:[0-2]|3[1-3])m)/;

/** Names come from anywhere: none of them may move the cursor or hide what stands beside it. */
function harmless(text: string, isColoured: boolean): string {
  return text
    .split(OWN)
    .map((part, index) => (index % 2 === 1 ? (isColoured ? part : '\ufffd') : inItsLines(part)))
    .join('');
}

function oneLine(cell: string): string {
  return cell.replace(/[\r\n\t]+/g, ' ');
}

/** One long name must not widen every row. */
const CELL_LIMIT = 160;

function cut(cell: string): string {
  const points = Array.from(cell);
  return points.length <= CELL_LIMIT || cell.includes('\u001b')
    ? cell
    : `${points.slice(0, CELL_LIMIT - 1).join('')}…`;
}

function layOut(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  paintHead: (head: string) => string,
): string[] {
  const table = [columns.map(({ head }) => paintHead(head)), ...rows];
  const widths = columns.map((_, i) => Math.max(...table.map((row) => width(row[i] ?? ''))));
  return table.map((row) =>
    columns
      .map(({ right }, i) => {
        const cell = row[i] ?? '';
        const padding = ' '.repeat((widths[i] ?? 0) - width(cell));
        return right === true ? padding + cell : cell + padding;
      })
      .join(GAP)
      .trimEnd(),
  );
}

/** As a terminal shows it, escapes apart. */
function width(text: string): number {
  return [...SEGMENTER.segment(text.replaceAll(ESCAPES, ''))].length;
}
