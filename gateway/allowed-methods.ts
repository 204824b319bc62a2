/** Which methods there are for a path: what a 405 says under `Allow` (RFC 9110). */
import type { Operation } from './operation.js';

/** `['GET', 'HEAD']`; empty where no operation has the path. */
export function allowedMethods(
  operations: readonly Pick<Operation, 'method' | 'path'>[],
  path: string,
): readonly string[] {
  const methods = operations
    .filter((each) => patternOf(each.path).test(path))
    .flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]));
  return [...new Set(methods)].sort();
}

/** `/v1/alerts/:id{.+}` -> `^/v1/alerts/(.+)$`. */
function patternOf(path: string): RegExp {
  const parts = path.split(/(:\w+(?:\{[^}]*\})?)/);
  const pattern = parts.map((part) => {
    if (!part.startsWith(':')) return part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const given = /\{(.*)\}$/.exec(part)?.[1];
    return given === undefined ? '[^/]+' : `(?:${given})`;
  });
  return new RegExp(`^${pattern.join('')}$`);
}
