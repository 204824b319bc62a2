import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../../domain/hash.js';
import { utf8Bytes } from '../../domain/utf8.js';

const anyText = fc.string({ unit: 'binary', maxLength: 200 });
/** Any sequence of UTF-16 units, half pairs included. */
const brokenText = fc
  .array(fc.oneof(fc.integer({ min: 0xd7fe, max: 0xe001 }), fc.nat(0xffff)), { maxLength: 100 })
  .map((units) => String.fromCharCode(...units));

describe('sha256 in plain code', () => {
  test.each([
    ['nothing', '', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  ])('the published digest of %s', (_, text, digest) => {
    expect(sha256Hex(text)).toBe(digest);
  });

  test('ids: it is the digest the platform computes, for any text', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, brokenText), (text) => {
        expect(sha256Hex(text)).toBe(createHash('sha256').update(text, 'utf8').digest('hex'));
      }),
    );
  });

  test('every length around the block borders', () => {
    for (let length = 50; length < 140; length += 1) {
      const text = 'x'.repeat(length);
      expect(sha256Hex(text)).toBe(createHash('sha256').update(text).digest('hex'));
    }
  });

  test('ids: UTF-8 is what the platform writes, lone surrogates become U+FFFD', () => {
    expect(utf8Bytes('a\ud800b')).toEqual([0x61, 0xef, 0xbf, 0xbd, 0x62]);
    fc.assert(
      fc.property(fc.oneof(anyText, brokenText), (text) => {
        expect(utf8Bytes(text)).toEqual([...new TextEncoder().encode(text)]);
      }),
    );
  });
});
