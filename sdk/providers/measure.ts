/**
 * How much input a chat request can be: the UTF-8 bytes of its JSON, images apart. JSON's own
 * signs are more than the special tokens that a provider puts around each message.
 */

/** Tokens around the whole of a request that are no part of it. */
const FRAME = 100;
/** What a provider says to the model about tools, or about the form of its answer. */
const INSTRUCTIONS = 1_000;

export interface Measured {
  /** Absent: some part is larger than its bytes show. */
  readonly inputTokens?: number;
  readonly audio: boolean;
}

export type Fields = Readonly<Record<string, unknown>>;

/** `image`: the most tokens one image is. Throws a TypeError for what JSON cannot say. */
export function measureRequest(request: Fields, image: number): Measured {
  const found = { images: 0, opaque: false, audio: false };

  /** A part of a message, without what is billed otherwise than by its bytes. */
  function withoutImages(part: unknown): unknown {
    if (!isFields(part)) return part;
    switch (part['type']) {
      case 'image_url':
      case 'image':
        found.images += 1;
        return {};
      case 'document':
        return documentOf(part);
      case 'file':
      case 'container_upload':
        found.opaque = true;
        return {};
      case 'input_audio':
        found.audio = true;
        return part;
      case 'tool_result':
        return { ...part, content: contentOf(part['content']) };
      default:
        return part;
    }
  }
  function documentOf(part: Fields): unknown {
    const { source } = part;
    if (isFields(source) && source['type'] === 'text') return part;
    if (isFields(source) && source['type'] === 'content') {
      return { ...part, source: { ...source, content: contentOf(source['content']) } };
    }
    found.opaque = true;
    return {};
  }
  const contentOf = (content: unknown): unknown =>
    Array.isArray(content) ? content.map(withoutImages) : content;

  const { messages, system } = request;
  const text = JSON.stringify({
    ...request,
    system: contentOf(system),
    messages: Array.isArray(messages)
      ? messages.map((each: unknown) =>
          isFields(each) ? { ...each, content: contentOf(each['content']) } : each,
        )
      : messages,
  });
  const instructed = ['tools', 'functions', 'response_format', 'output_config', 'output_format'];
  const bytes = new TextEncoder().encode(text).length;
  const told = instructed.some((name) => request[name] !== undefined) ? INSTRUCTIONS : 0;
  return {
    ...(found.opaque ? {} : { inputTokens: bytes + FRAME + told + found.images * image }),
    audio: found.audio,
  };
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An integer from 0 up, else undefined. */
export function countOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The text of a request's first message, for `savePrompts`. */
export function firstText(request: Fields): string | undefined {
  const { messages } = request;
  const [first] = Array.isArray(messages) ? (messages as readonly unknown[]) : [];
  const content = isFields(first) ? first['content'] : undefined;
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.flatMap((part: unknown) =>
    isFields(part) && typeof part['text'] === 'string' ? [part['text']] : [],
  );
  return texts.length === 0 ? undefined : texts.join('\n');
}
