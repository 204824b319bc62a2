import { describe, expect, test } from 'vitest';
import { startTestGateway } from './gateway-kit.js';

describe('the link in a message', () => {
  const ID = 'alert/default/agent:a%2Fb%20%C3%BC/daily/20261121T000000Z/1';

  test('leads to a page that says how to see the alert, and takes no key', async () => {
    const { gateway } = await startTestGateway();
    const page = await fetch(`${gateway.url}/alerts/${encodeURIComponent(ID)}`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(await page.text()).toContain(`kavach alert '${ID}'`);
  });

  test.each(["alert/x'; rm -rf /", 'alert/<script>', 'other', `alert/${'x'.repeat(250)}`])(
    'leads nowhere where it names no alert: %s',
    async (id) => {
      const { gateway } = await startTestGateway();
      const page = await fetch(`${gateway.url}/alerts/${encodeURIComponent(id)}`);
      expect(page.status).toBe(404);
      expect(page.headers.get('content-type')).toBe('application/problem+json');
    },
  );
});
