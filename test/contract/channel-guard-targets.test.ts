/** What an operator allows beside the internet, and what a synced target is told about itself. */
import { describe, expect, test } from 'vitest';
import { createGuard } from '../../channels/address-guard.js';
import { readAllowList } from '../../channels/allow-list.js';
import { refuseTarget } from '../../channels/target.js';

describe('the allow-list', () => {
  test('is read whole, and every fault is told', () => {
    const { rules, faults } = readAllowList(
      '127.0.0.1:*, [fd00::/8]:8080, fd12::1, 10.0.0.0/8,*.Corp.example:8080 ,hooks.internal,',
    );
    expect(faults).toEqual([]);
    expect(rules).toEqual([
      { kind: 'network', address: '127.0.0.1', bits: 32, port: 'any' },
      { kind: 'network', address: 'fd00::', bits: 8, port: 8080 },
      { kind: 'network', address: 'fd12::1', bits: 128, port: 'usual' },
      { kind: 'network', address: '10.0.0.0', bits: 8, port: 'usual' },
      { kind: 'name', name: '*.corp.example', port: 8080 },
      { kind: 'name', name: 'hooks.internal', port: 'usual' },
    ]);
  });

  test.each([
    ...['*', '*:*', '*.', 'a.*.example', 'ho st', '127.1', '10.0.0.0/33', '10.0.0/8', '2130706433'],
    ...['fd00::/129', '[127.0.0.1]:80', '[::1', 'name/8', '10.0.0.0/8/8', '10.0.0.0/', 'a:0'],
    ...['a:65536', 'a:http', 'a:', 'http://a', 'a@b', '0x7f.1', 'ⅷ..example', '::1%lo'],
  ])('%j is one fault', (entry) => {
    const { rules, faults } = readAllowList(`a.example, ${entry}`);
    expect(rules).toHaveLength(1);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toContain(JSON.stringify(entry));
  });
});

describe('host pins', () => {
  const guard = createGuard({
    allow: readAllowList('127.0.0.1:*,10.0.0.0/8:8080,slack.internal').rules,
  });

  test.each([
    ['https://hooks.slack.com/services/T/B/x', true],
    ['https://HOOKS.slack.com./services/T/B/x', true],
    ['https://hooks.slack-gov.com/services/T/B/x', true],
    ['http://127.0.0.1:9/slack', true],
    ['http://slack.internal/slack', true],
    ['https://hooks.slack.com.evil.example/x', false],
    ['https://evil.example/hooks.slack.com', false],
    ['https://hooks.slack.com@evil.example/', false],
    ['https://slack.com/services', false],
    // It may resolve to a network of the list, but that lifts no pin.
    ['http://evil.example:8080/', false],
  ])('Slack and %s: %s', (address, isFine) => {
    const reason = refuseTarget(guard, 'slack', address);
    if (isFine) expect(reason).toBeUndefined();
    else expect(reason).toMatch(/^the address /);
    expect(reason ?? '').not.toContain('evil');
  });

  test('a pin is no way around https', () => {
    const reason = refuseTarget(createGuard(), 'slack', 'http://hooks.slack.com/services/T/B/x');
    expect(reason).toMatch(/not https/);
  });

  test('a webhook may go anywhere public, and other channels have no URL', () => {
    expect(refuseTarget(guard, 'webhook', 'https://evil.example/x')).toBeUndefined();
    expect(refuseTarget(guard, 'webhook', 'http://169.254.169.254/')).toMatch(/not on the public/);
    expect(refuseTarget(guard, 'email', 'ops@example.com')).toBeUndefined();
  });
});
