// Where the value of a parameter comes from. In rising precedence: default, hostname (the node's name only), environment, flag.

export type Source =
  | { readonly kind: 'default' }
  | { readonly kind: 'hostname' }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'flag'; readonly flag: string };

/** For people: "default", "kernel hostname", "environment FELIX_LOGPREFIX", "flag --path". */
export function describeSource(source: Source): string {
  switch (source.kind) {
    case 'default':
      return 'default';
    case 'hostname':
      return 'kernel hostname';
    case 'environment':
      return `environment ${source.variable}`;
    case 'flag':
      return `flag ${source.flag}`;
  }
}
