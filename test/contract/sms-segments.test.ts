/** How long a text message is, and what is made of names that its alphabet lacks. */
import { describe, expect, test } from 'vitest';
import { toSmsText } from '../../channels/sms-alphabet.js';
import { measureSms } from '../../channels/sms-segments.js';

describe('segments', () => {
  test.each<[string, string, 'gsm7' | 'ucs2', number, number]>([
    ['nothing', '', 'gsm7', 0, 1],
    ['160 letters', 'a'.repeat(160), 'gsm7', 160, 1],
    ['161 letters', 'a'.repeat(161), 'gsm7', 161, 2],
    ['306 letters', 'a'.repeat(306), 'gsm7', 306, 2],
    ['307 letters', 'a'.repeat(307), 'gsm7', 307, 3],
    ['80 euro signs', '€'.repeat(80), 'gsm7', 160, 1],
    ['81 euro signs', '€'.repeat(81), 'gsm7', 162, 2],
    // 76 of them fill 152 of 153 septets, and the 77th is not torn apart.
    ['152 euro signs', '€'.repeat(152), 'gsm7', 304, 2],
    ['153 euro signs', '€'.repeat(153), 'gsm7', 306, 3],
    ['accents of the alphabet', 'àéÑß£', 'gsm7', 5, 1],
    ['70 letters of another script', 'ж'.repeat(70), 'ucs2', 70, 1],
    ['71 of them', 'ж'.repeat(71), 'ucs2', 71, 2],
    ['134 of them', 'ж'.repeat(134), 'ucs2', 134, 2],
    ['135 of them', 'ж'.repeat(135), 'ucs2', 135, 3],
    ['35 emoji', '🤖'.repeat(35), 'ucs2', 70, 1],
    // 33 of them fill 66 of 67 units, and the 34th is not torn apart.
    ['67 emoji', '🤖'.repeat(67), 'ucs2', 134, 3],
    ['one mark that is not in the alphabet', `${'a'.repeat(69)}\``, 'ucs2', 70, 1],
  ])('%s', (_name, text, encoding, units, segments) => {
    expect(measureSms(text)).toEqual({ encoding, units, segments });
  });
});

describe('names', () => {
  test.each([
    ['research-bot', 'research-bot'],
    ['Café “Zoë” 🤖', 'Café "Zoe"'],
    ['naïve—agent’s', "naive-agent's"],
    ['Łódź', 'Lodz'],
    ['`rm -rf`', "'rm -rf'"],
    ['ｆｕｌｌ', 'full'],
    ['🤖🔥👩‍👩‍👧‍👦', ''],
    ['1️⃣ bot', '1 bot'],
    ['бот 🤖 “x”', 'бот "x"'],
    ['हिन्दी', 'हिन्दी'],
    ['研究🔥', '研究'],
    ['a\r\nb\u0000\u202Ec', 'a bc'],
    ['bot\uD83D', 'bot'],
    ['{json}', '{json}'],
  ])('%j becomes %j', (name, text) => {
    expect(toSmsText(name)).toBe(text);
  });
});
