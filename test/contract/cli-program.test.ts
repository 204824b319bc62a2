/** The command line itself: help, exit codes, and what every command has in common. */
import { describe, expect, test } from 'vitest';
import { createSealKey, parseSealKeys } from '../../ledger/seal.js';
import { kavach } from '../support/run-cli.js';

const COMMANDS = [
  'up',
  'demo',
  'status',
  'alerts',
  'notices',
  'alert',
  'ack',
  'resolve',
  'test-channel',
  'limits',
  'raise',
  'reset',
  'destinations',
  'settings',
  'audit',
  'stop',
  'resume',
  'replay',
  'seal-key',
  'doctor',
  'export',
  'retention',
  'erase',
  'backup',
  'restore',
  'reseal',
];

describe('help', () => {
  test('lists every command and the environment', async () => {
    const { code, out } = await kavach(['--help']);
    expect(code).toBe(0);
    for (const command of COMMANDS) expect(out).toContain(`\n  ${command} `);
    expect(out).toContain('KAVACH_API_KEY');
  });

  test.each(COMMANDS)('of %s has an example and --json', async (command) => {
    const { code, out } = await kavach([command, '--help']);
    expect(code).toBe(0);
    expect(out).toMatch(new RegExp(`Examples:\\n {2}\\$ .*kavach ${command}`));
    expect(out).toContain('--json');
  });
});

describe('a wrong call ends with 2 and names the fault', () => {
  test.each([
    [['nonsense'], "unknown command 'nonsense'"],
    [['status', '--nonsense'], "unknown option '--nonsense'"],
    [['status', 'a', 'b'], 'too many arguments'],
    [['alert'], "missing required argument 'id'"],
    [['ack'], "missing required argument 'id'"],
    [['test-channel'], "missing required argument 'channel'"],
    [['stop', 'my-agent'], "required option '--reason <text>' not specified"],
    [['alerts', '--limit', '-1'], 'Expected a whole number'],
    [['demo', '--kills', 'many'], 'Expected a whole number'],
    [['demo', '--speed', '0'], 'Expected a number above 0'],
  ])('%j', async (argv, fault) => {
    const { code, out, err } = await kavach(argv);
    expect(code).toBe(2);
    expect(err).toContain(fault);
    expect(out).toBe('');
  });
});

test('bad configuration is told whole, before anything starts', async () => {
  const { code, err } = await kavach(['up'], {
    env: { KAVACH_PORT: 'x', KAVACH_ORG_ZONE: 'y', KAVACH_LOG_FORMAT: 'z' },
  });
  expect(code).toBe(1);
  for (const name of ['KAVACH_PORT', 'KAVACH_ORG_ZONE', 'KAVACH_LOG_FORMAT']) {
    expect(err).toContain(`${name} is `);
  }
});

test('seal-key makes a key that the ledger reads, a new one each time', async () => {
  const [first, second] = [await kavach(['seal-key']), await kavach(['seal-key', '--json'])];
  const { sealKey } = JSON.parse(second.out) as { sealKey: string };
  expect(parseSealKeys(`${first.out.trim()},${sealKey},${createSealKey()}`)).toHaveLength(3);
});
