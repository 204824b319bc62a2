/**
 * What all pages have in common: plain HTML that needs no script and loads nothing (their policy
 * allows one style sheet, by its hash).
 */
import { createHash } from 'node:crypto';
import { html, raw } from 'hono/html';

/** As the template makes it: what is put into another one is not escaped again. */
export type Html = ReturnType<typeof html>;

const STYLE = `
body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:0 auto;padding:1rem;color:#1c2430;background:#fff}
h1{font-size:1.25rem;line-height:1.3}h2{font-size:1rem;margin:1.75rem 0 .5rem}
.state{display:inline-block;padding:.1rem .6rem;border-radius:1rem;background:#e6e9ef;font-weight:600}
.critical,.error{background:#fbdcdc}.warning{background:#fdefcf}.resolved{background:#d9f0df}
.word{border-left:4px solid #6b7a90;background:#f1f3f7;padding:.5rem .75rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:0}dt{color:#5c6675}dd{margin:0}
ul{padding:0;margin:0;list-style:none}li{padding:.4rem 0;border-top:1px solid #e6e9ef;overflow-wrap:anywhere}
.quiet{color:#5c6675;font-size:.875rem}code,pre{white-space:pre-wrap;overflow-wrap:anywhere}pre{background:#f1f3f7;padding:.75rem}
label{display:block;margin:.5rem 0}input{font:inherit;display:block;width:100%;box-sizing:border-box;padding:.4rem}
button{font:inherit;font-weight:600;padding:.6rem 1.1rem;margin:.5rem .5rem 0 0;border:0;border-radius:.4rem;background:#1f4fa3;color:#fff}
button.second{background:#5c6675}button.stop{background:#a3241f}
meter{width:6rem;margin-right:.5rem}nav{display:flex;justify-content:space-between;align-items:baseline}
nav button{padding:.3rem .7rem;margin:0}summary{cursor:pointer;color:#1f4fa3}`;

/** Strict: no script, no image, no frame; forms only to where the page came from. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; ` +
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'cache-control': 'no-store',
  // The signature in the address is told to nobody else.
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-robots-tag': 'noindex',
};

/** A whole document. */
export function page(title: string, content: Html): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${raw(`<style>${STYLE}</style>`)}
      </head>
      <body>
        ${content}
      </body>
    </html> `;
}
