/** The provider's own client, which is the author's package: loaded when it is first needed. */
import { ConfigurationError } from '../errors.js';
import type { Settings } from '../settings.js';

/** Without retries: those are the guard's (L1). */
export async function openClient(settings: Settings): Promise<object> {
  const { provider, llmKey, llmBaseUrl } = settings;
  if (llmKey === undefined) {
    throw new ConfigurationError('guard.create', [
      { path: 'llmKey', expected: `the key of ${provider}, at construction`, given: 'nothing' },
    ]);
  }
  const options = {
    apiKey: llmKey,
    maxRetries: 0,
    ...(llmBaseUrl === undefined ? {} : { baseURL: llmBaseUrl }),
  };
  if (provider === 'anthropic') {
    const { Anthropic } = await import('@anthropic-ai/sdk').catch(missing('@anthropic-ai/sdk'));
    return new Anthropic(options);
  }
  const { OpenAI } = await import('openai').catch(missing('openai'));
  return new OpenAI(options);
}

function missing(name: string): (error: unknown) => never {
  return (error) => {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ConfigurationError('guard.create', [
      { path: name, expected: `the package, installed (npm install ${name})`, given: 'none' },
    ]);
  };
}
