/**
 * Free text in the alphabet of text messages: accents it lacks are dropped, typographic marks are
 * replaced, emoji go. A name in another script stays as it is, since its letters are the name: the
 * message is then UCS-2, and shorter.
 */
import { isGsm7 } from './sms-segments.js';

const REPLACEMENTS: Readonly<Record<string, string>> = {
  '‘': "'",
  '’': "'",
  '‚': "'",
  '`': "'",
  '´': "'",
  '“': '"',
  '”': '"',
  '„': '"',
  '«': '"',
  '»': '"',
  '‐': '-',
  '‑': '-',
  '–': '-',
  '—': '-',
  '−': '-',
  '•': '*',
  '·': '.',
  '×': 'x',
  '÷': '/',
  '→': '->',
  ł: 'l',
  Ł: 'L',
  đ: 'd',
  Đ: 'D',
  ð: 'd',
  Ð: 'D',
  þ: 'th',
  Þ: 'Th',
  œ: 'oe',
  Œ: 'OE',
  ı: 'i',
  ħ: 'h',
  ŧ: 't',
};

/** `'Café “Zoë” 🤖' -> 'Café "Zoe"'`, `'бот 🤖' -> 'бот'`, `'🤖' -> ''`. One line. */
export function toSmsText(text: string): string {
  let plain = '';
  for (const character of text.toWellFormed().normalize('NFC')) {
    const replaced = replace(character);
    // A letter that cannot be replaced: the text keeps its script.
    if (replaced === undefined) return collapse(inItsScript(text));
    plain += replaced;
  }
  return collapse(plain);
}

function replace(character: string): string | undefined {
  if (/\s/u.test(character)) return ' ';
  if (isGsm7(character)) return character === '\f' ? ' ' : character;
  const known = REPLACEMENTS[character];
  if (known !== undefined) return known;
  const bare = Array.from(character.normalize('NFKD').replace(/\p{M}/gu, ''));
  if (bare.length > 0 && bare.every(isGsm7)) return bare.join('');
  return /[\p{L}\p{N}]/u.test(character) ? undefined : '';
}

/** Without emoji, their modifiers and joiners, and whatever is not to be seen. */
function inItsScript(text: string): string {
  const letters = text
    .toWellFormed()
    .normalize('NFC')
    .replace(/[\p{So}\p{Sk}\p{Cc}\p{Cf}\p{Co}\p{Cn}\uFE0E\uFE0F\u20E3]/gu, ' ');
  return Array.from(letters, (character) => REPLACEMENTS[character] ?? character).join('');
}

function collapse(text: string): string {
  return text.replace(/\s+/gu, ' ').trim();
}
