/**
 * An agent that signals Temporal itself: no HTTP on the way of its usage. Run it beside
 * `npm start`, with the API key that start made:
 *
 *   KAVACH_API_KEY=… npx tsx examples/direct-reporter.ts
 */
import { randomUUID } from 'node:crypto';
import {
  connectTemporal,
  createKavachClient,
  createReporter,
  httpPeriods,
} from '../client/index.js';
import { DEFAULT_POLICY } from '../domain/alert/policy.js';

const agent = process.env['AGENT'] ?? 'research-bot';
const log = {
  info: () => undefined,
  warn: (_: object, words: string) => {
    console.error(words);
  },
  error: (_: object, words: string) => {
    console.error(words);
  },
};

const temporal = await connectTemporal(process.env);
const reporter = createReporter({
  client: createKavachClient({
    client: temporal.client,
    taskQueue: 'kavach',
    policy: DEFAULT_POLICY,
    log,
  }),
  // A restarted reporter is a new sender: never the same name twice.
  sender: `${agent}-${randomUUID()}`,
  periods: httpPeriods({
    baseUrl: process.env['KAVACH_URL'] ?? 'http://127.0.0.1:8787',
    apiKey: process.env['KAVACH_API_KEY'] ?? '',
    agent,
  }),
  onError: (error) => {
    console.error(error.message);
  },
});

await reporter.ready;
for (let call = 0; call < 1_000; call += 1) reporter.record({ usd: 0.001, tokens: 700 });

const { undelivered } = await reporter.drain();
console.log(undelivered.length === 0 ? 'all told: 1,000 calls' : undelivered);
await temporal.close();
