// Resource versions of the API, as far as they may be looked into.

/**
 * Whether the server's history went back behind what we have seen, as after a restored backup of etcd. Its watch would then say
 * nothing until it has caught up. Resource versions are decimal integers (KEP-5504); of others nothing is known.
 */
export function wentBack(known: string, seen: string): boolean {
  if (!/^\d+$/.test(known) || !/^\d+$/.test(seen)) return false;
  return known.length === seen.length ? seen < known : seen.length < known.length;
}
