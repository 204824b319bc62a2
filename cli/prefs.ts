/** `kavach prefs`: what a recipient wants to be told, as the document that the API takes. */
import { readFile } from 'node:fs/promises';
import type { ChannelSwitches, Preferences } from '../domain/preferences.js';
import { CliError } from './errors.js';
import type { Gateway } from './http.js';
import type { Output } from './output.js';
import { pathOf } from './recipients.js';

export async function showPreferences(gateway: Gateway, output: Output, id: string): Promise<void> {
  const answer = (await gateway.get(`${pathOf(id)}/preferences`)) as { preferences: Preferences };
  output.json(answer);
  show(output, answer.preferences);
}

/** `document` is JSON, or `@file` with it. */
export async function setPreferences(
  gateway: Gateway,
  output: Output,
  { id, document, by }: { id: string; document: string; by?: string },
): Promise<void> {
  const given = parse(await textOf(document));
  const body = { ...given, ...(by === undefined ? {} : { by }) };
  const answer = (await gateway.put(`${pathOf(id)}/preferences`, body)) as {
    changed: boolean;
    preferences: Preferences;
  };
  output.json(answer);
  if (!answer.changed) output.line('Nothing changed.');
  show(output, answer.preferences);
}

async function textOf(document: string): Promise<string> {
  if (!document.startsWith('@')) return document;
  const file = document.slice(1);
  return readFile(file, 'utf8').catch((error: unknown) => {
    const cause = error instanceof Error ? error.message : 'unknown failure';
    throw new CliError(`${file} cannot be read (${cause}): give a file, or the JSON itself`);
  });
}

function parse(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Said below: the parser's own words would repeat the document.
  }
  throw new CliError(
    'The preferences are no JSON object: expected {"default":{"push":true,"sms":false}} or @file',
  );
}

function show(output: Output, preferences: Preferences): void {
  const { agents, minimumPriority, digest, quietHours, zone, unsubscribed } = preferences;
  output.table(
    [{ head: 'AGENT' }, { head: 'PUSH' }, { head: 'EMAIL' }, { head: 'SMS' }],
    [
      ['(every agent)', ...switchesText(preferences.default, 'on')],
      ...Object.entries(agents).map(([agent, own]) => [agent, ...switchesText(own, '')]),
    ],
  );
  const least = Object.entries(minimumPriority).map(([channel, priority]) =>
    [channel, priority].join(' from '),
  );
  output.line();
  if (least.length > 0) output.line(`Told only: ${least.join(', ')}`);
  output.line(`Digest: ${digestText(digest, unsubscribed)}`);
  if (quietHours !== undefined) {
    const { from, to, passes } = quietHours;
    output.line(`Quiet: ${from} to ${to}, but for ${passes} and above`);
  }
  output.line(`Zone: ${zone}`);
}

function digestText({ cadence, hour }: Preferences['digest'], unsubscribed: boolean): string {
  if (unsubscribed) return 'unsubscribed: low priority is not told';
  if (cadence === 'daily') return `daily at ${String(hour).padStart(2, '0')}:00`;
  return cadence === 'off' ? 'off: low priority is told at once' : cadence;
}

function switchesText(switches: ChannelSwitches, otherwise: string): string[] {
  const text = (on: boolean | undefined): string =>
    on === undefined ? otherwise : on ? 'on' : 'off';
  return [text(switches.push), text(switches.email), text(switches.sms)];
}
