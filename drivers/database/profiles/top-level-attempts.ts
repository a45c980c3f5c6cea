/**
 * The payload with its own `attempts` at 0, where it has one: think-queue's retry does so. All else stays byte for
 * byte, as PHP's numbers and the order of its keys would not outlive a parser.
 */
export function withAttemptsReset(json: string): string {
  let depth = 0;
  for (const match of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/gs)) {
    const [token] = match;
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (depth === 1 && token === '"attempts"') {
      const at = match.index + token.length;
      const [value, colon = ''] = /^(\s*:\s*)\d+/.exec(json.slice(at)) ?? [];
      if (value !== undefined) return `${json.slice(0, at)}${colon}0${json.slice(at + value.length)}`;
    }
  }
  return json;
}
