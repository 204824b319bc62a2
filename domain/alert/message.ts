/** A rendered message and the opened destination it goes to: what channels and ledger exchange. */

/** A custom message (Slack): templates with the variables of spec §4, also inside `blocks`. */
export interface MessageTemplate {
  readonly text: string;
  readonly blocks?: readonly unknown[];
}

/** Rendered once, stored, and sent on every attempt (A11). `body` is the exact text of the request. */
export interface RenderedMessage {
  readonly body: string;
  readonly contentType: string;
}

/** An opened destination: what the ledger keeps sealed. Lives only inside one activity. */
export interface OpenDestination {
  /** URL (slack, webhook) or email address. */
  readonly address: string;
  /** Webhook: signing secrets, newest first. Email: the customer's own key, if any. */
  readonly secrets?: readonly string[];
  readonly template?: MessageTemplate;
}
