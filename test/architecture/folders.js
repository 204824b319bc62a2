/**
 * The cut: which folder may import which, and which packages. One list for the lint and for the
 * test that reads the files. `typeImports`: only `import type`. `packages`: beside these none.
 */
export const FOLDERS = {
  domain: { imports: [], packages: [] },
  workflows: {
    imports: ['domain'],
    typeImports: ['activities'],
    packages: ['@temporalio/workflow', '@temporalio/common'],
  },
  channels: {
    imports: ['domain'],
    packages: ['resend', 'twilio', 'nodemailer', 'undici', 'ipaddr.js', 'node:*'],
  },
  activities: {
    imports: ['domain', 'ledger', 'channels'],
    packages: ['@temporalio/activity'],
  },
  client: {
    imports: ['domain', 'workflows'],
    packages: ['@temporalio/client', '@temporalio/common', '@temporalio/envconfig', 'node:*'],
  },
  ledger: {
    imports: ['domain'],
    packages: ['pg', 'drizzle-orm', '@electric-sql/pglite', 'node:*'],
  },
  relay: { imports: ['client', 'ledger', 'domain'], packages: [] },
  worker: {
    imports: ['activities', 'client', 'ledger', 'relay', 'domain', 'channels'],
    packages: [
      '@temporalio/worker',
      '@temporalio/common',
      '@temporalio/proto',
      'pino',
      'zod',
      'node:*',
    ],
  },
  gateway: {
    imports: ['client', 'ledger', 'relay', 'domain'],
    packages: ['hono', '@hono/node-server', 'ws', 'zod', '@pydantic/genai-prices', 'node:*'],
  },
  // Loaded lazily: the providers' clients are the author's own, the channels are for `standalone`.
  sdk: {
    imports: ['domain', 'channels'],
    packages: ['@pydantic/genai-prices', 'openai', '@anthropic-ai/sdk', 'node:*'],
  },
  fakes: { imports: [], packages: ['node:*'] },
  cli: {
    imports: [
      'domain',
      'workflows',
      'channels',
      'activities',
      'client',
      'ledger',
      'relay',
      'worker',
      'gateway',
      'fakes',
    ],
    packages: ['*'],
  },
};
