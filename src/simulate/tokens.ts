// Splits a rule line into arguments exactly as iptables-restore does: blanks separate, double quotes keep blanks, a backslash
// inside quotes takes the next character as it is, and a closing quote ends the argument.

/** What stands before an opening quote and what it encloses are one argument. */
const argument = /[ \t]*([^ \t"]*)(?:"((?:[^"\\]|\\.)*)("?))?/gy;

/** Undefined when a quote is not closed. */
export function tokenize(line: string): string[] | undefined {
  const tokens: string[] = [];
  argument.lastIndex = 0;
  while (argument.lastIndex < line.length) {
    const [, plain = '', quoted, closing] = argument.exec(line) as RegExpExecArray;
    if (closing === '') return undefined;
    if (quoted !== undefined) tokens.push(plain + (quoted.includes('\\') ? quoted.replace(/\\(.)/gs, '$1') : quoted));
    else if (plain !== '') tokens.push(plain);
  }
  return tokens;
}

/** Writes an argument as iptables-save prints strings: quoted unless it is made of harmless characters only. */
export function quote(text: string): string {
  return /^[A-Za-z0-9_-]+$/.test(text) ? text : `"${text.replace(/["'\\]/g, '\\$&')}"`;
}
