/** Bodies worth it go as gzip where the platform has it, else plain. */

export interface PackedBody {
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly encoding?: 'gzip';
}

/** Below it packing costs more than it saves. */
const WORTH_PACKING = 2_048;

export async function packBody(text: string): Promise<PackedBody> {
  if (text.length < WORTH_PACKING || typeof CompressionStream === 'undefined')
    return { body: text };
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return { body: new Uint8Array(await new Response(packed).arrayBuffer()), encoding: 'gzip' };
}
