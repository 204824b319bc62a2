/** The word that was meant, where one is near enough. */
import { expect, test } from 'vitest';
import { nearestWord } from '../../domain/nearest.js';

test.each([
  ['research-bto', 'research-bot'],
  ['reserch-bot', 'research-bot'],
  ['research-bot', 'research-bot'],
  ['helper', undefined],
  ['', undefined],
])('%s', (word, expected) => {
  expect(nearestWord(word, ['batch', 'research-bots', 'research-bot'], 2)).toBe(expected);
});
