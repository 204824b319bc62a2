/**
 * What people see while the demo plays: lines that stay, and on a terminal one line at the bottom
 * that is drawn anew. Elsewhere (a pipe, CI) the bar becomes a line at every tenth of the budget.
 */
import { createOutput, type Column, type OutputStream, type Tone } from '../output.js';

export interface Screen {
  /** Lines that stay. */
  say(text?: string, tone?: Tone): void;
  table(columns: readonly Column[], rows: readonly (readonly string[])[]): void;
  /** The burn bar: `ratio` of the limit, and what stands beside it. */
  burn(ratio: number, text: string): void;
  /** Leaves the bar where it is, so that what follows stands below it. */
  settle(): void;
}

export type ScreenStream = OutputStream & { readonly columns?: number | undefined };

const BAR_CELLS = 30;
const ERASE_LINE = '\r\u001b[2K';

export function createScreen(stream: ScreenStream, env: NodeJS.ProcessEnv): Screen {
  const isRedrawn = stream.isTTY === true && env['TERM'] !== 'dumb';
  const output = createOutput(stream, { env });
  let bar = '';
  let shownTenth = -1;
  const above = (print: () => void): void => {
    if (bar !== '') stream.write(ERASE_LINE);
    print();
    stream.write(bar);
  };
  return {
    say(text = '', tone) {
      above(() => {
        for (const line of text.split('\n')) {
          output.line(tone === undefined ? line : output.paint(tone, line));
        }
      });
    },
    table(columns, rows) {
      above(() => {
        output.table(columns, rows);
      });
    },
    burn(ratio, text) {
      const line = `${barOf(ratio)} ${text}`;
      if (isRedrawn) {
        const tone: Tone = ratio >= 1 ? 'bad' : ratio >= 0.8 ? 'warning' : 'good';
        bar = output.paint(tone, line.slice(0, (stream.columns ?? 80) - 1));
        stream.write(ERASE_LINE + bar);
        return;
      }
      const tenth = Math.floor(ratio * 10);
      if (tenth <= shownTenth) return;
      shownTenth = tenth;
      output.line(line);
    },
    settle() {
      if (bar !== '') stream.write('\n');
      bar = '';
    },
  };
}

/** `[███████·······]  52 %`; what is past the limit is not drawn. */
export function barOf(ratio: number): string {
  const filled = Math.min(BAR_CELLS, Math.floor(ratio * BAR_CELLS));
  const percent = String(Math.floor(ratio * 100)).padStart(3);
  return `[${'█'.repeat(filled)}${'·'.repeat(BAR_CELLS - filled)}] ${percent} %`;
}
