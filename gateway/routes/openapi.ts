/**
 * The description of the API for machines (`/openapi.json`, OpenAPI 3.1), and for people (`/docs`):
 * made from the routes themselves, so neither says what is not so. Both need no key: they say
 * nothing about anybody.
 */
import { z } from 'zod';
import { docsPage, DOCS_HEADERS } from '../docs-page.js';
import { openApiOf } from '../openapi.js';
import type { Operation, Routes } from '../operation.js';

const document = {
  ...{ method: 'get', path: '/openapi.json', id: 'readOpenApi' },
  summary: 'This document',
  scopes: 'public',
  answers: { 200: { description: 'OpenAPI 3.1', schema: z.looseObject({ openapi: z.string() }) } },
} as const satisfies Operation;

const page = {
  ...{ method: 'get', path: '/docs', id: 'showDocs' },
  summary: 'The same for people',
  scopes: 'public',
  answers: { 200: { description: 'The page', type: 'text/html' } },
} as const satisfies Operation;

export function addDocumentRoutes(routes: Routes): void {
  let made: ReturnType<typeof openApiOf> | undefined;
  // At the first request all routes are there.
  const documentOf = () => (made ??= openApiOf(routes.operations));
  routes.add(document, (c) => c.json(documentOf()));
  routes.add(page, (c) => {
    for (const [name, value] of Object.entries(DOCS_HEADERS)) c.header(name, value);
    return c.html(docsPage(routes.operations));
  });
}
