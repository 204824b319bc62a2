/** What a configured payload codec adds to each part of the service; nothing where there is none. */
import type { DataConverter } from '@temporalio/common';
import type { Codec } from '../gateway/routes/codec.js';
import { createCodec, createDataConverter, parseCodecKeys } from '../worker/codec.js';
import type { Config } from '../worker/config.js';

export interface PayloadCodecParts {
  /** For the Temporal client, and for the worker beside its bundle. */
  readonly converter: { readonly dataConverter?: DataConverter };
  /** For `workflowBundle`. */
  readonly bundled: Pick<DataConverter, 'failureConverterPath'>;
  /** For the gateway: what Temporal's own tools ask. */
  readonly endpoint: { readonly codec?: Codec };
}

export function payloadCodecOf(config: Pick<Config, 'codec'>): PayloadCodecParts {
  if (config.codec === undefined) return { converter: {}, bundled: {}, endpoint: {} };
  const { keys, origins } = config.codec;
  const codec = createCodec(parseCodecKeys(keys));
  const dataConverter = createDataConverter(codec);
  return {
    converter: { dataConverter },
    bundled: dataConverter,
    endpoint: { codec: { ...codec, origins } },
  };
}
