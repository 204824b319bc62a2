/** What people see of an address. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { maskAddress } from '../../domain/mask.js';
import { CHANNELS } from '../../domain/words.js';

test.each([
  ['email', 'jane@acme.com', 'j***@acme.com'],
  ['email', 'nobody', '***'],
  ['email', '😀jane@acme.com', '😀***@acme.com'],
  ['slack', 'https://hooks.slack.com/services/T0/B0/secret', 'hooks.slack.com'],
  ['webhook', 'https://user:secret@in.acme.com:8443/x?token=secret', 'in.acme.com:8443'],
  ['webhook', 'https://in.acme.com?token=secret', 'in.acme.com'],
  ['webhook', 'secret', '***'],
  ['sms', '+15551234567', '***67'],
  ['pagerduty', 'R0123456789abcdef0123456789abcd42', '***42'],
  ['push', 'device-token', '***'],
] as const)('%s %s -> %s', (channel, address, masked) => {
  expect(maskAddress(channel, address)).toBe(masked);
});

test('of no address more than its host, its domain or two characters are shown', () => {
  const secret = fc.stringMatching(/^[A-Za-z0-9]{12,40}$/);
  fc.assert(
    fc.property(fc.constantFrom(...CHANNELS), secret, (channel, word) => {
      for (const address of [word, `https://a.test/${word}`, `https://${word}@a.test/x`]) {
        expect(maskAddress(channel, address)).not.toContain(word);
      }
    }),
  );
});
