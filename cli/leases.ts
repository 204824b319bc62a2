/** `kavach leases …`: what guards hold of the budgets, and how to release it (L4). */
import type { Amounts } from '../domain/lease/amounts.js';
import type { LeaseState } from '../domain/lease/lease.js';
import { CliError, type Gateway } from './http.js';
import { amountsText } from './lease-text.js';
import { formatMoment } from './moment.js';
import type { Output } from './output.js';

interface WireAmounts {
  readonly cost_nano_usd: number;
  readonly tokens: number;
  readonly calls: number;
}

interface Lease {
  readonly id: string;
  readonly agent_name: string;
  readonly run_id?: string;
  readonly state: LeaseState;
  readonly granted: WireAmounts;
  readonly settled: WireAmounts;
  readonly remainder: WireAmounts;
  readonly renewed_at: number;
  readonly expires_at: number;
  readonly vanished: boolean;
  readonly why?: string;
}

export async function showLeases(
  gateway: Gateway,
  output: Output,
  { agent, all }: { readonly agent?: string; readonly all: boolean },
): Promise<void> {
  const leases = await listed(gateway, {
    ...(all ? {} : { holding: 'true' }),
    ...(agent === undefined ? {} : { agent_name: agent }),
  });
  output.json({ leases });
  if (leases.length === 0) {
    output.line(all ? 'No lease was ever granted.' : 'No guard holds anything.');
    return;
  }
  output.table(
    [
      { head: 'AGENT' },
      { head: 'STATE' },
      { head: 'GRANTED' },
      { head: 'SETTLED' },
      { head: 'HELD' },
      { head: 'RENEWED' },
      { head: 'EXPIRES' },
      { head: 'ID' },
    ],
    leases.map((lease) => [
      lease.agent_name,
      stateText(output, lease),
      amountsText(amountsOf(lease.granted)),
      amountsText(amountsOf(lease.settled)),
      amountsText(amountsOf(lease.remainder)),
      formatMoment(lease.renewed_at),
      formatMoment(lease.expires_at),
      lease.id,
    ]),
  );
  if (leases.some(({ vanished }) => vanished)) {
    output.line();
    output.line(
      'What vanished guards hold stays counted until they come back, their period ends, or ' +
        '`kavach leases release <id> --reason …`.',
    );
  }
}

/** By its id, or a unique beginning of it. */
export async function releaseLease(
  gateway: Gateway,
  output: Output,
  { id, by, reason }: { readonly id: string; readonly by?: string; readonly reason: string },
): Promise<void> {
  const lease = find(await listed(gateway, { holding: 'true' }), id);
  const path = `/v1/leases/${encodeURIComponent(lease.id)}/release`;
  const answer = await gateway.post(path, { reason, ...(by === undefined ? {} : { by }) });
  output.json(answer);
  const held = amountsText(amountsOf(lease.remainder));
  output.line(`Released: ${held} of ${lease.agent_name}, which ${lease.id} held.`);
}

function find(leases: readonly Lease[], text: string): Lease {
  const exact = leases.find(({ id }) => id === text);
  const [only, ...others] = text === '' ? [] : leases.filter(({ id }) => id.startsWith(text));
  const found = exact ?? (others.length === 0 ? only : undefined);
  if (found !== undefined) return found;
  throw new CliError(
    only === undefined
      ? `No lease ${JSON.stringify(text)} holds anything: \`kavach leases\` shows them`
      : `Several leases begin with ${JSON.stringify(text)}: ` +
          [only, ...others].map(({ id }) => id).join(', '),
  );
}

function stateText(output: Output, { state, vanished, why }: Lease): string {
  if (vanished) return output.paint('warning', `${state}, vanished`);
  return why === undefined ? state : `${state}: ${why}`;
}

function amountsOf({ cost_nano_usd: cost, tokens, calls }: WireAmounts): Amounts {
  return { cost, tokens, calls };
}

async function listed(
  gateway: Gateway,
  which: Readonly<Record<string, string>>,
): Promise<readonly Lease[]> {
  const found: Lease[] = [];
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({
      ...{ limit: '1000', ...which },
      ...(cursor === undefined ? {} : { cursor }),
    });
    const page = (await gateway.get(`/v1/leases?${query.toString()}`)) as {
      readonly leases: readonly Lease[];
      readonly nextCursor?: string;
    };
    found.push(...page.leases);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return found;
}
