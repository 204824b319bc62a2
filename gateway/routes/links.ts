/**
 * Where the links in messages lead: a page for a browser, without a key. It shows nothing that its
 * own address does not say; what the alert is about takes a key to read.
 */
import type { App } from '../env.js';

/** As `domain/ids.ts` builds them: nothing in it means anything to HTML or to a shell. */
const ALERT_ID = /^alert\/[\w%:./~-]{1,249}$/;

export function addLinkRoute(app: App): void {
  app.get('/alerts/:id{.+}', (c) => {
    const id = c.req.param('id');
    if (!ALERT_ID.test(id)) return c.notFound();
    c.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'");
    c.header('cache-control', 'no-store');
    return c.html(pageOf(id));
  });
}

function pageOf(id: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Kavach: alert</title></head>
<body style="font-family:sans-serif;max-width:50em;margin:3em auto;color:#222">
<h1 style="font-size:18px">An alert of Kavach</h1>
<p>Every decision about it and every attempt to tell someone, each with its reason:</p>
<pre style="white-space:pre-wrap;background:#f4f4f4;padding:1em">kavach alert '${id}'</pre>
<p>or, with an API key, <code>GET /v1/alerts/${id}</code>.</p>
</body>
</html>
`;
}
