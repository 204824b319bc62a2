/**
 * Reads a trace: the compact extract of examples/trace/, or a file as its source publishes it.
 * TR-1. Rows come out in the order of their times, the first at 0 ms.
 * TR-2. A line that cannot be read is an error that names it: a sum over a guess proves nothing.
 */

/** One LLM call: milliseconds after the trace's first, and its tokens. */
export interface TraceCall {
  readonly offsetMs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

interface Form {
  readonly columns: readonly [time: string, input: string, output: string];
  /** Milliseconds; undefined where the text is no such time. */
  readonly timeOf: (text: string) => number | undefined;
  readonly example: string;
}

const FORMS: readonly Form[] = [
  {
    columns: ['TIMESTAMP', 'ContextTokens', 'GeneratedTokens'],
    timeOf: parseTimestamp,
    example: '2023-11-16 18:15:46.6805900',
  },
  {
    columns: ['offset_ms', 'input_tokens', 'output_tokens'],
    timeOf: parseCount,
    example: '4314',
  },
];

/** Throws an error with the line and what was expected there. */
export function readTrace(text: string): readonly TraceCall[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  const header = cellsOf(lines[0] ?? '');
  const form = FORMS.find(({ columns }) => columns.every((column) => header.includes(column)));
  if (form === undefined) {
    const wanted = FORMS.map(({ columns }) => columns.join(',')).join(' or ');
    throw new Error(`Line 1 of the trace: expected the columns ${wanted}`);
  }
  const [timeAt = 0, inputAt = 0, outputAt = 0] = form.columns.map((name) => header.indexOf(name));
  const calls: TraceCall[] = [];
  for (const [index, line] of lines.entries()) {
    if (index === 0 || line.trim() === '') continue;
    const cells = cellsOf(line);
    const cell = <T>(at: number, read: (text: string) => T | undefined, expected: string): T => {
      const value = read(cells[at] ?? '');
      if (value !== undefined) return value;
      const seen = JSON.stringify((cells[at] ?? '').slice(0, 40));
      const where = `Line ${String(index + 1)} of the trace, ${header[at] ?? 'column'}`;
      throw new Error(`${where}: expected ${expected}, got ${seen}`);
    };
    calls.push({
      offsetMs: cell(timeAt, form.timeOf, `a time such as ${form.example}`),
      inputTokens: cell(inputAt, parseCount, 'a whole number of tokens'),
      outputTokens: cell(outputAt, parseCount, 'a whole number of tokens'),
    });
  }
  return fromZero(calls);
}

function fromZero(calls: TraceCall[]): readonly TraceCall[] {
  calls.sort((a, b) => a.offsetMs - b.offsetMs);
  const first = calls[0];
  if (first === undefined) throw new Error('The trace has no calls: expected at least one line');
  return calls.map((call) => ({ ...call, offsetMs: call.offsetMs - first.offsetMs }));
}

function cellsOf(line: string): string[] {
  return line.split(',').map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
}

/** More than any call has, and nine million such calls still sum up exactly. */
const MAX_COUNT = 1e9;

function parseCount(text: string): number | undefined {
  if (!/^\d{1,10}$/.test(text)) return undefined;
  const count = Number(text);
  return count <= MAX_COUNT ? count : undefined;
}

const TIMESTAMP = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/;

/** Without a zone it is UTC; what is below a millisecond is cut off. */
function parseTimestamp(text: string): number | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const [, date = '', time = '', fraction = '', zone = 'Z'] = match;
  const at = Date.parse(`${date}T${time}${fraction.slice(0, 4)}${zone}`);
  return Number.isNaN(at) ? undefined : at;
}
