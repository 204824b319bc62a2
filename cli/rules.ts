/** `kavach rules`: conditions on agents' metrics (R1); a change holds for the next event. */
import { CliError, type Gateway } from './http.js';
import { formatMoment } from './moment.js';
import type { Output } from './output.js';
import { sayWarnings } from './warnings.js';

interface Rule {
  readonly id: string;
  readonly name: string;
  readonly agentId: string;
  readonly condition: string;
  readonly channels: readonly string[];
  readonly priority: string;
  readonly cooldownSeconds: number;
  readonly userIds: readonly string[];
  readonly by: string;
  readonly at: number;
}

/** What is not said keeps what the rule has, or gets its default. */
export interface RuleWords {
  readonly name: string;
  readonly condition: string;
  readonly agent?: string;
  readonly channel?: readonly string[];
  readonly priority?: string;
  readonly cooldown?: number;
  readonly user?: readonly string[];
  readonly by?: string;
}

export async function showRules(gateway: Gateway, output: Output, agent?: string): Promise<void> {
  const query = agent === undefined ? '' : `?agent=${encodeURIComponent(agent)}`;
  const answer = (await gateway.get(`/v1/rules${query}`)) as { rules: readonly Rule[] };
  output.json(answer);
  if (answer.rules.length === 0) {
    output.line('No rule is set: `kavach rules set <name> "error_rate > 0.05"` makes one.');
    return;
  }
  table(output, answer.rules);
}

/** Makes it, or changes the one of that name. */
export async function setRule(gateway: Gateway, output: Output, words: RuleWords): Promise<void> {
  const { name, condition, agent, channel, priority, cooldown, user, by } = words;
  const known = (await listed(gateway)).find((rule) => rule.name === name);
  const channels = channel ?? known?.channels;
  if (channels === undefined) throw new CliError('No channel is named: say --channel slack');
  const body = {
    ...{ name, condition, channels },
    agentId: agent ?? known?.agentId ?? '*',
    priority: priority ?? known?.priority ?? 'medium',
    cooldownSeconds: cooldown ?? known?.cooldownSeconds ?? 300,
    userIds: user ?? known?.userIds ?? [],
    ...(by === undefined ? {} : { by }),
  };
  const answer = (await (known === undefined
    ? gateway.post('/v1/rules', body)
    : gateway.put(`/v1/rules/${encodeURIComponent(known.id)}`, body))) as {
    changed: boolean;
    rule: Rule;
    warnings?: readonly string[];
  };
  output.json(answer);
  if (!answer.changed) output.line('Nothing changed.');
  table(output, [answer.rule]);
  sayWarnings(output, answer.warnings);
}

export async function removeRule(
  gateway: Gateway,
  output: Output,
  { rule, by }: { readonly rule: string; readonly by?: string },
): Promise<void> {
  const rules = await listed(gateway);
  const found =
    rules.find(({ id, name }) => name === rule || id === rule) ??
    only(rules.filter(({ id }) => id.startsWith(rule)));
  if (found === undefined) {
    throw new CliError(`There is no rule ${JSON.stringify(rule)}: \`kavach rules\` lists them`);
  }
  const path = `/v1/rules/${encodeURIComponent(found.id)}`;
  output.json(await gateway.remove(path, by === undefined ? {} : { by }));
  output.line(`${found.name} is removed; what is open of it ends`);
}

function only(rules: readonly Rule[]): Rule | undefined {
  return rules.length === 1 ? rules[0] : undefined;
}

async function listed(gateway: Gateway): Promise<readonly Rule[]> {
  return ((await gateway.get('/v1/rules')) as { rules: readonly Rule[] }).rules;
}

function table(output: Output, rules: readonly Rule[]): void {
  output.table(
    [
      { head: 'NAME' },
      { head: 'AGENT' },
      { head: 'CONDITION' },
      { head: 'PRIORITY' },
      { head: 'QUIET FOR', right: true },
      { head: 'CHANNELS' },
      { head: 'TELLS' },
      { head: 'SET' },
      { head: 'ID' },
    ],
    rules.map((rule) => [
      rule.name,
      rule.agentId === '*' ? 'every agent' : rule.agentId,
      rule.condition,
      rule.priority,
      rule.cooldownSeconds === 0 ? 'never' : `${String(rule.cooldownSeconds)} s`,
      rule.channels.join(', '),
      rule.userIds.length === 0 ? 'the operators' : rule.userIds.join(', '),
      `${formatMoment(rule.at)} by ${rule.by}`,
      rule.id,
    ]),
  );
}
