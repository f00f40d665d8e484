// Splits a rule line into arguments exactly as iptables-restore does: blanks separate, double quotes keep blanks, a backslash
// inside quotes takes the next character as it is, and a closing quote ends the argument.

/** Undefined when a quote is not closed. */
export function tokenize(line: string): string[] | undefined {
  const tokens: string[] = [];
  let token = '';
  let quoted = false;
  let escaped = false;
  for (const character of line) {
    if (quoted) {
      if (escaped) {
        token += character;
        escaped = false;
      } else if (character === '\\') {
        escaped = true;
      } else if (character === '"') {
        quoted = false;
        tokens.push(token);
        token = '';
      } else {
        token += character;
      }
    } else if (character === '"') {
      quoted = true;
    } else if (character === ' ' || character === '\t') {
      if (token !== '') tokens.push(token);
      token = '';
    } else {
      token += character;
    }
  }
  if (quoted) return undefined;
  if (token !== '') tokens.push(token);
  return tokens;
}

/** Writes an argument as iptables-save prints strings: quoted unless it is made of harmless characters only. */
export function quote(text: string): string {
  return /^[A-Za-z0-9_-]+$/.test(text) ? text : `"${text.replace(/["'\\]/g, '\\$&')}"`;
}
