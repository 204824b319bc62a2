/** `kavach stop` and `kavach resume` (K2): a person's word over an agent, and who gave it. */
import { CliError, type Gateway } from './http.js';
import type { Output } from './output.js';
import { sayWarnings } from './warnings.js';

interface Word {
  readonly agent: string;
  readonly by: string | undefined;
}

/** Twice is once; the first reason stands. */
export async function stopAgent(
  gateway: Gateway,
  output: Output,
  { agent, by, reason }: Word & { readonly reason: string },
): Promise<void> {
  const body = { reason, ...(by ? { by } : {}) };
  const { changed, ...more } = changeOf(await tell(gateway, agent, 'stop', body));
  output.json({ agent, stopped: true, changed, ...more });
  output.line(
    changed
      ? `${agent} is ${output.paint('bad', 'stopped')}; \`kavach resume ${agent}\` lets it go on`
      : `${agent} was stopped before; the first reason stands`,
  );
  sayWarnings(output, more.warnings);
}

export async function resumeAgent(
  gateway: Gateway,
  output: Output,
  { agent, by, reason }: Word & { readonly reason?: string },
): Promise<void> {
  const body = { ...(by ? { by } : {}), ...(reason === undefined ? {} : { reason }) };
  const { changed, ...more } = changeOf(await tell(gateway, agent, 'resume', body));
  output.json({ agent, stopped: false, changed, ...more });
  const isHeld = more.warnings !== undefined;
  const now = isHeld ? `${agent} is not stopped any more` : `${agent} goes on`;
  output.line(changed ? now : `${agent} was not stopped`);
  sayWarnings(output, more.warnings);
}

/** Names that a path cannot carry (`..` is taken out of every URL) go in the body. */
function tell(
  gateway: Gateway,
  agent: string,
  act: 'stop' | 'resume',
  body: object,
): Promise<unknown> {
  if (agent.trim() === '') throw new CliError('No agent is named: give its name');
  if (agent === '.' || agent === '..') return gateway.post(`/v1/agents/${act}`, { agent, ...body });
  return gateway.post(`/v1/agents/${encodeURIComponent(agent)}/${act}`, body);
}

function changeOf(answer: unknown): { changed: boolean; warnings?: readonly string[] } {
  const { changed, warnings } = (answer ?? {}) as { changed?: unknown; warnings?: string[] };
  if (typeof changed === 'boolean') {
    return { changed, ...(warnings === undefined ? {} : { warnings }) };
  }
  throw new CliError('The answer does not say whether anything changed: is KAVACH_URL a Kavach?');
}
