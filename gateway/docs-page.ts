/** `/docs`: the routes for people, as plain HTML that needs no script and loads nothing. */
import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';
import { z } from 'zod';
import { openApiPath } from './openapi.js';
import type { Operation } from './operation.js';

/** As the template makes it: what is put into another one is not escaped again. */
type Html = ReturnType<typeof html>;

const STYLE = `
body{font:16px/1.5 system-ui,sans-serif;max-width:54rem;margin:0 auto;padding:1rem;color:#1c2430;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin:2rem 0 .25rem;overflow-wrap:anywhere}
.quiet{color:#5c6675;font-size:.875rem}code,pre{background:#f1f3f7;overflow-wrap:anywhere}pre{padding:.75rem;overflow:auto}
summary{cursor:pointer}section{border-top:1px solid #e6e9ef}`;

/** As strict as the alert page's: no script, no image, no frame. */
export const DOCS_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; ` +
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

export function docsPage(operations: readonly Operation[]): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Kavach: the API</title>
        ${raw(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <h1>Kavach: the API</h1>
        <p>
          Send the API key as <code>Authorization: Bearer &lt;key&gt;</code>. For machines:
          <a href="/openapi.json">/openapi.json</a>.
        </p>
        ${operations.map(section)}
      </body>
    </html> `;
}

function section(operation: Operation): Html {
  const { id, method, path, summary, description, params, query, scopes } = operation;
  const body = operation.body ?? operation.itself?.body;
  return html`<section id="${id}">
    <h2><code>${method.toUpperCase()} ${openApiPath(path)}</code></h2>
    <p>${summary}. ${description ?? ''}</p>
    <p class="quiet">
      ${scopes === 'public' ? 'No key needed.' : `Scope: ${scopes.join(' or ')} (or admin).`}
      ${names('In the path', params)} ${names('Query', query)}
    </p>
    ${body === undefined ? '' : schemaBlock('Body', body, 'input')}
    ${Object.entries(operation.answers).map(([status, answer]) =>
      answer.schema === undefined
        ? html`<p class="quiet">${status}: ${answer.description}</p>`
        : schemaBlock(`${status}: ${answer.description}`, answer.schema, 'output'),
    )}
  </section>`;
}

function names(label: string, schema: z.ZodType | undefined): string {
  if (!(schema instanceof z.ZodObject)) return '';
  return `${label}: ${Object.keys(schema.shape).join(', ')}.`;
}

function schemaBlock(label: string, schema: z.ZodType, io: 'input' | 'output'): Html {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return html`<details>
    <summary>${label}</summary>
    <pre>${JSON.stringify(rest, undefined, 2)}</pre>
  </details>`;
}
