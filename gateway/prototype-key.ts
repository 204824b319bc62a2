/** Where an input has a member called `__proto__`. */

/**
 * Its path; undefined where there is none. Without recursion: an input may be nested deeper than the
 * stack is high.
 */
export function prototypeKeyIn(input: unknown): readonly PropertyKey[] | undefined {
  interface Place {
    readonly value: unknown;
    readonly part?: PropertyKey;
    readonly above?: Place;
  }
  const open: Place[] = [{ value: input }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { value } = place;
    if (typeof value !== 'object' || value === null) continue;
    for (const [name, each] of Object.entries(value) as [string, unknown][]) {
      const part = Array.isArray(value) ? Number(name) : name;
      const inner = { value: each, part, above: place };
      if (name === '__proto__') return pathOf(inner);
      if (typeof each === 'object' && each !== null) open.push(inner);
    }
  }
  return undefined;
}

function pathOf(place: {
  readonly part?: PropertyKey;
  readonly above?: unknown;
}): readonly PropertyKey[] {
  const path: PropertyKey[] = [];
  let at: typeof place | undefined = place;
  while (at?.part !== undefined) {
    path.unshift(at.part);
    at = at.above as typeof place | undefined;
  }
  return path;
}
