/** A guard in a process of its own, for tests that kill it: `guard-child.ts <json of GuardChild>`. */
import { createLeasedAdmission } from '../../sdk/engine/admission.js';

export interface GuardChild {
  readonly endpoint: string;
  readonly journal?: string;
  /** Calls it makes, one after the other, of a cent each. */
  readonly calls: number;
  /** It lives on afterwards, until it is killed; else it ends by itself, without closing. */
  readonly stay: boolean;
}

const child = JSON.parse(process.argv[2] ?? '{}') as GuardChild;
const CENT = { cost: 10_000_000, tokens: 2, calls: 1 };

const admission = createLeasedAdmission({
  ...{ endpoint: child.endpoint, apiKey: 'kv_test', agentName: 'bot', runId: 'run-1' },
  ...{ syncDocument: { agent_name: 'bot' }, hasBlockBudget: true, whenUnreachable: 'closed' },
  ...(child.journal === undefined ? {} : { journal: child.journal }),
  policy: { holder: { waitMs: 1_000 } },
});
const said: string[] = [];
for (let call = 0; call < child.calls; call += 1) {
  const admitted = await admission.admit(CENT);
  said.push(admitted.type);
  if (admitted.type === 'refused') continue;
  admitted.reservation.settle(CENT, {
    ...{ provider: 'openai', model: 'gpt', inputTokens: 1, outputTokens: 1, cost: CENT.cost },
    ...{ durationMs: 1, status: 'success' },
  });
}
process.stdout.write(`${JSON.stringify(said)}\n`);
if (child.stay) setInterval(() => undefined, 1_000);
