/** What people read: names come from anywhere, and none of them may do anything to a terminal. */
import { expect, test } from 'vitest';
import { createOutput } from '../../cli/output.js';

function shown(isTTY: boolean, print: (output: ReturnType<typeof createOutput>) => void): string {
  let text = '';
  print(createOutput({ isTTY, write: (more) => (text += more) }, { env: {} }));
  return text;
}

const EVIL = "o'neil\t\u001b[31mred\u0007\u001b[2J\u202etxt.exe\r\nsecond row";

test('nothing in a cell moves the cursor, rings or turns the text, nor begins a row', () => {
  for (const isTTY of [false, true]) {
    const text = shown(isTTY, (output) => {
      output.table([{ head: 'NAME' }, { head: 'STATE' }], [[EVIL, output.paint('good', 'fine')]]);
    });
    expect(text.trimEnd().split('\n')).toHaveLength(2);
    expect(text).not.toMatch(/\u0007|\u001b\[2J|\u202e|\t|\r/);
    expect(text).toContain('fine');
  }
});

test('without a terminal there is no escape at all; at one our own colours stay', () => {
  const print = (output: ReturnType<typeof createOutput>): void => {
    output.line(`${output.paint('bad', 'broken')} ${EVIL}`);
  };
  expect(shown(false, print)).not.toContain('\u001b');
  expect(shown(true, print)).toContain('\u001b[31mbroken\u001b[0m');
});

test('one long name does not widen every row', () => {
  const text = shown(false, (output) => {
    output.table([{ head: 'NAME' }, { head: 'X' }], [['n'.repeat(5_000), 'x']]);
  });
  expect(Math.max(...text.split('\n').map((row) => row.length))).toBeLessThan(200);
});
