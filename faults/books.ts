/**
 * The books after a campaign, agent by agent: what was acknowledged against the events that are
 * stored, the totals of the periods, and what the periods' workflows show.
 */
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import type { Check } from '../bench/figure.js';
import type { Sum } from '../bench/load.js';
import { benchClient } from '../bench/periods.js';
import { checksOf, expectSum, keyOf, untilTold } from '../bench/watch.js';
import type { Target } from './target.js';

const TASK_QUEUE = 'kavach';

/** Compared with what each agent was told had been stored. */
export async function bookChecks(
  target: Pick<Target, 'databaseUrl' | 'temporalAddress'>,
  acked: ReadonlyMap<string, Sum>,
): Promise<Check[]> {
  const [events, periods] = await readBooks(target.databaseUrl);
  return [
    ...differences('acked events', acked, events),
    ...differences('events in period totals', acked, periods),
    ...(await workflowChecks(target.temporalAddress, acked)),
  ];
}

const EVENTS = `select agent, count(*)::text as events, sum(cost_used)::text as cost,
  sum(input_tokens + output_tokens)::text as tokens from usage_event group by agent`;
const PERIODS = `select substr(scope, 7) as agent, own_calls::text as events, own_cost::text as cost,
  own_tokens::text as tokens from period where scope like 'agent:%' and cadence = 'daily'`;

async function readBooks(databaseUrl: string): Promise<[Map<string, Sum>, Map<string, Sum>]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    // One after the other, as texts: an embedded ledger has one session for all.
    const read = async (text: string): Promise<Map<string, Sum>> => {
      const { rows } = await client.query<Record<'agent' | keyof Sum, string>>(text);
      return new Map(
        rows.map(({ agent, events, cost, tokens }) => [
          agent,
          { events: Number(events), cost: Number(cost), tokens: Number(tokens) },
        ]),
      );
    };
    return [await read(EVENTS), await read(PERIODS)];
  } finally {
    await client.end();
  }
}

/** Lost and counted twice do not make up for each other: they are summed apart, by agent. */
function differences(
  what: string,
  acked: ReadonlyMap<string, Sum>,
  found: ReadonlyMap<string, Sum>,
): Check[] {
  let [lost, twice, differing] = [0, 0, 0];
  for (const agent of new Set([...acked.keys(), ...found.keys()])) {
    const wanted = acked.get(agent) ?? { events: 0, cost: 0, tokens: 0 };
    const there = found.get(agent) ?? { events: 0, cost: 0, tokens: 0 };
    lost += Math.max(wanted.events - there.events, 0);
    twice += Math.max(there.events - wanted.events, 0);
    if (wanted.cost !== there.cost || wanted.tokens !== there.tokens) differing += 1;
  }
  return [
    { what: `${what}: lost`, expected: 0, actual: lost },
    { what: `${what}: counted twice`, expected: 0, actual: twice },
    { what: `${what}: agents whose money or tokens differ`, expected: 0, actual: differing },
  ];
}

async function workflowChecks(address: string, acked: ReadonlyMap<string, Sum>): Promise<Check[]> {
  const connection = await Connection.connect({ address });
  try {
    const client = benchClient(new Client({ connection }), TASK_QUEUE);
    const expected = [...acked].map(([agent, sum]) =>
      expectSum(keyOf(`agent:${agent}`, 'daily'), sum),
    );
    await untilTold(client, expected);
    return await checksOf(client, 'workflows', expected);
  } finally {
    await connection.close();
  }
}
