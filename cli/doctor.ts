/** `kavach doctor`: looks at every part at once, and says of each how it is and what to do next. */
import { finding, NOT_LOOKED_AT, type Finding, type State } from './doctor-check.js';
import { gatewayChecks } from './doctor-gateway.js';
import { configOf, hereChecks } from './doctor-here.js';
import { lookAtLedger } from './doctor-ledger.js';
import { lookAtTemporal } from './doctor-temporal.js';
import type { Environment } from './http.js';
import type { Output, Tone } from './output.js';

const TONES: Readonly<Record<State, Tone>> = { ok: 'good', warn: 'warning', fail: 'bad' };
/** Of a check that is given no more by itself. */
const WITHIN_MS = 8_000;
/** A part that does not close holds nobody up. */
const CLOSE_MS = 5_000;

/** Exit code 1 where something failed; warnings alone are 0. */
export async function examine(
  output: Output,
  env: Environment,
  withinMs = WITHIN_MS,
): Promise<number> {
  const config = configOf(env);
  const ledger = lookAtLedger(env, config);
  const temporal = lookAtTemporal(env, config);
  const checks = [
    ...hereChecks(env, config),
    ...ledger.checks,
    ...temporal.checks,
    ...gatewayChecks(env, config),
  ];
  const findings = await Promise.all(checks.map((check) => finding(check, withinMs)));
  await within(Promise.allSettled([ledger.close(), temporal.close()]), CLOSE_MS);
  show(output, findings);
  return findings.some(({ state }) => state === 'fail') ? 1 : 0;
}

function show(output: Output, findings: readonly Finding[]): void {
  const failed = findings.filter(({ state }) => state === 'fail').length;
  const warned = findings.filter(({ state }) => state === 'warn').length;
  output.json({ ok: failed === 0, failed, warned, checks: findings });
  output.table(
    [{ head: '' }, { head: 'CHECK' }, { head: 'SEEN' }],
    findings.map(({ name, state, seen }) => [output.paint(TONES[state], state), name, seen]),
  );
  const todo = findings.filter(({ next, seen }) => next !== undefined && seen !== NOT_LOOKED_AT);
  if (todo.length > 0) {
    output.line();
    output.table(
      [{ head: 'NEXT' }, { head: '' }],
      todo.map(({ name, state, next = '' }) => [output.paint(TONES[state], name), next]),
    );
  }
  output.line();
  const verdict = `${String(failed)} failed, ${String(warned)} to look at`;
  const tone = failed > 0 ? 'bad' : warned > 0 ? 'warning' : 'good';
  output.line(output.paint(tone, failed + warned === 0 ? 'All is well' : verdict));
}

async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, over]);
  clearTimeout(timer);
}
