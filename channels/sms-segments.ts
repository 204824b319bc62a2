/**
 * How long a text message is for the network: GSM-7 where every character is in its alphabet, else
 * UCS-2, and then in segments. One character outside of GSM-7 more than halves what fits.
 */

/** GSM 03.38, one septet each. */
const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
    '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** Its extension, two septets each: an escape and a character, never parted by a segment's end. */
const EXTENDED = new Set('\f^{}\\[~]|€');

const LIMITS = {
  gsm7: { single: 160, part: 153 },
  ucs2: { single: 70, part: 67 },
} as const;

export interface SmsLength {
  readonly encoding: 'gsm7' | 'ucs2';
  /** Septets of GSM-7, or UTF-16 units. */
  readonly units: number;
  readonly segments: number;
}

/** What the text costs. An empty one is one segment. */
export function measureSms(text: string): SmsLength {
  const characters = Array.from(text);
  const encoding = characters.every(isGsm7) ? 'gsm7' : 'ucs2';
  const { single, part } = LIMITS[encoding];
  const sizes = characters.map((character) =>
    encoding === 'ucs2' ? character.length : EXTENDED.has(character) ? 2 : 1,
  );
  const units = sizes.reduce((sum, size) => sum + size, 0);
  return { encoding, units, segments: units <= single ? 1 : countParts(sizes, part) };
}

export function isGsm7(character: string): boolean {
  return BASIC.has(character) || EXTENDED.has(character);
}

/** A character of two units moves whole to the next segment. */
function countParts(sizes: readonly number[], part: number): number {
  let segments = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > part) {
      segments += 1;
      used = 0;
    }
    used += size;
  }
  return segments;
}
