/** `kavach settings`: what is set for the whole organisation. */
import type { AlertRoute } from '../domain/alert/state.js';
import { formatDuration } from '../domain/duration.js';
import type { OrganisationSettings } from '../ledger/ledger.js';
import type { Gateway } from './http.js';
import type { Output } from './output.js';

export async function showSettings(gateway: Gateway, output: Output): Promise<void> {
  show(output, (await gateway.get('/v1/settings')) as OrganisationSettings);
}

export async function changeSettings(
  gateway: Gateway,
  output: Output,
  path: string,
  body: object,
): Promise<void> {
  show(output, (await gateway.post(path, body)) as OrganisationSettings);
}

function show(output: Output, settings: OrganisationSettings): void {
  output.json(settings);
  const { emailDomains, operators, escalation, defaults } = settings;
  const levels = escalation?.levels.map(
    ({ afterMs, routes }) => `after ${formatDuration(afterMs)} ${routesText(routes)}`,
  );
  output.line(`Email domains: ${emailDomains.join(', ') || 'none'}`);
  output.line(`Operators: ${routesText(operators) || 'nobody'}`);
  output.line(
    `Escalation: ${levels === undefined ? 'the default' : `${levels.join(', then ')}; rounds: ${String(escalation?.rounds ?? 1)}`}`,
  );
  output.line(`Default destinations: ${routesText(defaults) || 'none'}`);
}

/** `slack 3f2a9c1b`: `kavach destinations` says what is behind it. */
function routesText(routes: readonly AlertRoute[]): string {
  return routes
    .map(({ channel, destination }) => `${channel} ${destination?.slice(0, 8) ?? '(default)'}`)
    .join(', ');
}
