/**
 * GET /v1/export/{events,journal,audit}: the organisation's own records as a stream.
 * G-E1. A page is read when the one before was taken: a slow reader slows the reading, and costs
 *       a page of memory.
 * G-E2. What breaks in the middle breaks the connection off: a short answer never looks whole.
 */
import { z } from 'zod';
import { EXPORT_COLUMNS, EXPORT_KINDS, type ExportKind } from '../../ledger/export.js';
import type { ExportPage, ExportQuery } from '../../ledger/ledger.js';
import { csvLine } from '../csv.js';
import type { Operation, Routes } from '../operation.js';
import type { Gateway } from '../options.js';
import { name } from '../schemas.js';

const PAGE = 1_000;
const FORMATS = ['ndjson', 'csv'] as const;
type Format = (typeof FORMATS)[number];

/** Epoch ms, a day or a time of ISO 8601; UTC where it names no zone. */
const moment = z.string().transform((text, context) => {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const isDay = /^\d{4}-\d\d-\d\d$/.test(text);
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?$/.test(text);
  const hasZone = isDay || /(Z|[+-]\d\d:\d\d)$/.test(text);
  const at = isDay || isTime ? Date.parse(hasZone ? text : `${text}Z`) : Number.NaN;
  if (!Number.isNaN(at)) return at;
  context.addIssue({ code: 'custom', message: 'expected a day or time, as 2026-11-21T12:00:00Z' });
  return z.NEVER;
});

const exportQuery = z.object({
  format: z.enum(FORMATS).default('ndjson'),
  agent: name.optional(),
  from: moment.optional(),
  to: moment.optional(),
});

const TYPES: Readonly<Record<Format, string>> = {
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
};

const exportRecords = {
  ...{ method: 'get', path: '/v1/export/:kind', id: 'exportRecords' },
  summary: 'Events, journal or audit, whole, as a stream',
  description: 'An answer that breaks off was not whole: its connection breaks off, too.',
  scopes: ['admin'],
  params: z.object({ kind: z.enum(EXPORT_KINDS) }),
  query: exportQuery,
  answers: { 200: { description: 'One record a line', type: 'application/x-ndjson' } },
} as const satisfies Operation;

export function addExportRoutes(routes: Routes, gateway: Gateway): void {
  routes.add(exportRecords, (c, { params: { kind }, query: { format, agent, from, to } }) => {
    const { org } = c.get('key');
    const query = {
      ...{ org, limit: PAGE },
      ...(agent === undefined ? {} : { agent }),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
    };
    const requestId = c.get('requestId');
    const breakOff = (): void => {
      c.env.outgoing.destroy();
    };
    const stream = streamOf(gateway, { kind, format, query, requestId, breakOff });
    return c.body(stream, 200, {
      'content-type': TYPES[format],
      'content-disposition': `attachment; filename="kavach-${kind}.${format}"`,
      'cache-control': 'no-store',
    });
  });
}

interface Export {
  readonly kind: ExportKind;
  readonly format: Format;
  readonly query: ExportQuery;
  readonly requestId: string;
  /** G-E2. The server would write the error into the stream and end it in order. */
  readonly breakOff: () => void;
}

/** G-E1. Asked for a chunk only when the last one has gone out. */
function streamOf(
  { ledger, log }: Pick<Gateway, 'ledger' | 'log'>,
  { kind, format, query, requestId, breakOff }: Export,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let after: ExportPage['next'];
  let isFirst = true;
  const nextText = async (): Promise<{ text: string; isLast: boolean }> => {
    const page = await ledger.exportPage(kind, {
      ...query,
      ...(after === undefined ? {} : { after }),
    });
    after = page.next;
    const head = isFirst && format === 'csv' ? csvLine(EXPORT_COLUMNS[kind]) : '';
    isFirst = false;
    return { text: head + textOf(kind, format, page), isLast: page.next === undefined };
  };
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        try {
          const { text, isLast } = await nextText();
          if (text !== '') controller.enqueue(encoder.encode(text));
          if (isLast) controller.close();
        } catch (error) {
          const cause = error instanceof Error ? error.name : typeof error;
          log.error({ requestId, kind, cause }, 'an export broke off');
          breakOff();
          controller.close();
        }
      },
    },
    { highWaterMark: 1 },
  );
}

function textOf(kind: ExportKind, format: Format, { rows }: ExportPage): string {
  if (format === 'ndjson') return rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  return rows.map((row) => csvLine(EXPORT_COLUMNS[kind].map((name) => row[name]))).join('');
}
