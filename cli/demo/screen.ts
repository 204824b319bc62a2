/**
 * What people see while the demo plays: lines that stay, and on a terminal one line at the bottom
 * that is drawn anew. Elsewhere (a pipe, CI) the bar becomes a line at every tenth of the budget.
 */
import type { WriteStream } from 'node:tty';

export type Tone = 'plain' | 'good' | 'bad' | 'warn' | 'faint' | 'bold';

export interface Screen {
  /** A line that stays. */
  say(text: string, tone?: Tone): void;
  /** The burn bar: `spent` and `limit` as texts, `ratio` of the limit. */
  burn(ratio: number, text: string): void;
  /** Takes the bar away, so that what follows stands on lines of its own. */
  settle(): void;
}

export type ScreenStream = Pick<WriteStream, 'write'> & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

const COLOURS: Readonly<Record<Tone, string>> = {
  plain: '',
  good: '\u001b[32m',
  bad: '\u001b[31m',
  warn: '\u001b[33m',
  faint: '\u001b[2m',
  bold: '\u001b[1m',
};
const BAR_CELLS = 30;
const ERASE_LINE = '\r\u001b[2K';

export function createScreen(stream: ScreenStream, env: NodeJS.ProcessEnv): Screen {
  const isTerminal = stream.isTTY === true && env['TERM'] !== 'dumb';
  const isColoured = isTerminal && !env['NO_COLOR'];
  const paint = (text: string, tone: Tone): string =>
    isColoured && COLOURS[tone] !== '' ? `${COLOURS[tone]}${text}\u001b[0m` : text;
  let bar = '';
  let shownTenth = -1;
  const draw = (): void => {
    if (bar !== '') stream.write(ERASE_LINE + bar);
  };
  return {
    say(text, tone = 'plain') {
      const lines = text.split('\n').map((line) => paint(line, tone));
      stream.write(`${bar === '' ? '' : ERASE_LINE}${lines.join('\n')}\n`);
      draw();
    },
    burn(ratio, text) {
      const line = `  ${barOf(ratio)} ${text}`;
      if (isTerminal) {
        const tone: Tone = ratio >= 1 ? 'bad' : ratio >= 0.8 ? 'warn' : 'good';
        bar = paint(line.slice(0, (stream.columns ?? 80) - 1), tone);
        draw();
        return;
      }
      const tenth = Math.floor(ratio * 10);
      if (tenth <= shownTenth) return;
      shownTenth = tenth;
      stream.write(`${line}\n`);
    },
    settle() {
      if (bar !== '') stream.write(`${ERASE_LINE}${bar}\n`);
      bar = '';
    },
  };
}

/** `[█████·····]  52 %`; what is past the limit is not drawn. */
export function barOf(ratio: number): string {
  const filled = Math.min(BAR_CELLS, Math.floor(ratio * BAR_CELLS));
  const percent = String(Math.floor(ratio * 100)).padStart(3);
  return `[${'█'.repeat(filled)}${'·'.repeat(BAR_CELLS - filled)}] ${percent} %`;
}

/** Columns as wide as their widest cell; cells that look like numbers stand to the right. */
export function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  );
  const lineOf = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return /^[\d,.$]+$/.test(cell) ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('──');
  return [lineOf(head), rule, ...rows.map(lineOf)].map((line) => `  ${line}`).join('\n');
}
