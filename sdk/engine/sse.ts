/** Server-sent events as they arrive in pieces (WHATWG HTML §9.2); a comment is a sign of life. */

export interface SentEvent {
  readonly name: string;
  readonly data: string;
}

/** Longer than anything a gateway says. */
const MAX_CHARS = 1_048_576;

/** Answers what each piece completes; throws a RangeError for an event without end. */
export function createSseReader(): (piece: string) => readonly SentEvent[] {
  let rest = '';
  let name = '';
  let data: string[] = [];
  const readLine = (line: string): SentEvent | undefined => {
    if (line === '') {
      const event =
        data.length === 0 ? undefined : { name: name || 'message', data: data.join('\n') };
      name = '';
      data = [];
      return event;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') name = value;
    if (field === 'data') data.push(value);
    return undefined;
  };
  return (piece) => {
    rest += piece;
    // A carriage return at the end may be half of a line's end.
    const isHalf = rest.endsWith('\r');
    const lines = (isHalf ? rest.slice(0, -1) : rest).split(/\r\n|\n|\r/);
    rest = (lines.pop() ?? '') + (isHalf ? '\r' : '');
    const events = lines.flatMap((line) => readLine(line) ?? []);
    const size = data.reduce((sum, line) => sum + line.length, rest.length);
    if (size > MAX_CHARS) throw new RangeError('An event of the live channel has no end.');
    return events;
  };
}
