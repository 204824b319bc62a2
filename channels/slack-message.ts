/**
 * A Slack message: Block Kit, and the same words as `text` for notifications and for the retry
 * without blocks. Values are escaped, so that an agent named `<!channel>` pages nobody; what the
 * author of a custom template wrote is his own and stays.
 */
import { isWorded, type ThresholdFacts } from '../domain/alert/facts.js';
import { renderDeep, renderTemplate, templateVariables } from '../domain/template.js';
import { describeAlert, oneLine } from './alert-title.js';
import type { AlertView, MessageTemplate } from './channel.js';

const SECTION_LIMIT = 3_000;
/** Of an agent's own words, which stand in the text and in the blocks. */
const BODY_LIMIT = 2_000;
const FIELD_LIMIT = 2_000;
const HEADER_LIMIT = 150;
const BLOCK_LIMIT = 50;
/** Slack refuses long messages without saying where the limit is; 9,597 characters still passed. */
const MESSAGE_LIMIT = 9_000;
/** So that text and blocks together stay below the limit of the message. */
const TEXT_LIMIT = 3_000;
const VALUE_LIMIT = 200;

/** Slack's own rule: these three and no others. */
export function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** The exact body of the request. */
export function renderSlack(view: AlertView, template?: MessageTemplate): string {
  // A template's variables are those of a budget.
  return template === undefined || isWorded(view.facts)
    ? renderStandard(view)
    : renderCustom(view.facts, view.dashboardUrl, template);
}

/** The same message without its blocks, for a workspace that refuses them. */
export function withoutBlocks(body: string): string {
  const message = JSON.parse(body) as { readonly text: string };
  return JSON.stringify({ text: message.text });
}

function renderStandard(view: AlertView): string {
  const { title, body, lines, notes, link } = describeAlert(view);
  const fields = lines.map(({ label, value }) => `*${escapeSlack(label)}:* ${escapeSlack(value)}`);
  const anchors = link === '' ? [] : [`<${linkTarget(link)}|Open in Kavach>`];
  const heading = escapeSlack(title);
  const said = body === undefined ? [] : [clip(escapeSlack(body), BODY_LIMIT)];
  const words = [heading, ...said, ...fields, ...notes, ...anchors].join('\n');
  const blocks = [
    { type: 'header', text: { type: 'plain_text', text: clip(heading, HEADER_LIMIT) } },
    ...said.map((each) => ({ type: 'section', text: { type: 'mrkdwn', text: each } })),
    { type: 'section', fields: fields.map((field) => ({ type: 'mrkdwn', text: field })) },
    ...notes.map((note) => ({ type: 'section', text: { type: 'mrkdwn', text: note } })),
    ...anchors.map((text) => ({ type: 'context', elements: [{ type: 'mrkdwn', text }] })),
  ];
  return JSON.stringify({ text: clip(words, TEXT_LIMIT), blocks });
}

function renderCustom(
  facts: ThresholdFacts,
  dashboardUrl: string,
  template: MessageTemplate,
): string {
  const variables = Object.fromEntries(
    Object.entries(templateVariables(facts, dashboardUrl)).map(([name, value]) => [
      name,
      // A link is of no use when it is cut.
      name === 'dashboard_url' ? value : oneLine(value, VALUE_LIMIT),
    ]),
  );
  const text = clip(renderTemplate(template.text, variables, escapeSlack), TEXT_LIMIT);
  const withText = JSON.stringify({ text });
  if (template.blocks === undefined) return withText;
  const blocks = template.blocks
    .slice(0, BLOCK_LIMIT)
    .map((block) => clipDeep(renderDeep(block, variables, escapeSlack), SECTION_LIMIT));
  const whole = JSON.stringify({ text, blocks });
  return whole.length < MESSAGE_LIMIT ? whole : withText;
}

function clipDeep(value: unknown, limit: number): unknown {
  if (typeof value === 'string') return clip(value, limit);
  if (Array.isArray(value)) return value.map((item) => clipDeep(item, limit));
  if (typeof value !== 'object' || value === null) return value;
  const inside = 'type' in value && value.type === 'header' ? HEADER_LIMIT : limit;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      clipDeep(item, key === 'fields' ? FIELD_LIMIT : inside),
    ]),
  );
}

/** Cuts escaped text without leaving half an entity or half an emoji. */
function clip(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const cut = text.slice(0, limit - 1).replace(/&[a-z]{0,3}$/, '');
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/** `|` and `>` would end the link early. */
function linkTarget(url: string): string {
  return escapeSlack(url.replaceAll('|', '%7C').replaceAll('>', '%3E').replaceAll('<', '%3C'));
}
