/** Text from anywhere, shown beside ours. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inItsLines, onOneLine } from '../../domain/plain-text.js';

const RISKY = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u;
const text = fc.string({ unit: 'binary', maxLength: 60 });

describe('plain text', () => {
  test.each([
    ['a\r\n b', 'a b', 'a\ufffd\n b'],
    [' \u001b[31mred\u0007 ', '[31mred', ' \ufffd[31mred\ufffd '],
    ['x\u202Egnp.exe', 'x gnp.exe', 'x\ufffdgnp.exe'],
    ['a\tb\u0085c', 'a b c', 'a\tb\ufffdc'],
    ['half \ud800', 'half \ufffd', 'half \ufffd'],
    ['Añá 漢字 👩‍👩‍👧', 'Añá 漢字 👩‍👩‍👧', 'Añá 漢字 👩‍👩‍👧'],
  ])('%j is %j on one line', (given, line, lines) => {
    expect(onOneLine(given)).toBe(line);
    expect(inItsLines(given)).toBe(lines);
  });

  test('any text comes out harmless, and a second time the same', () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (given) => {
        const line = onOneLine(given);
        expect(line).not.toMatch(RISKY);
        expect(line.isWellFormed()).toBe(true);
        expect(onOneLine(line)).toBe(line);
        const lines = inItsLines(given);
        expect(lines.replace(/[\n\t]/g, '')).not.toMatch(RISKY);
        expect(lines.split('\n')).toHaveLength(given.split('\n').length);
        expect(inItsLines(lines)).toBe(lines);
      }),
    );
  });
});
