// Rules of somebody else in the filter table, in the shape in which kube-proxy writes its own: one jump per service into a chain of
// its own, comments and all. No packet of the benchmarks reaches them; what they cost is the table's size.

const PER_CHAIN = 9;

/** A transaction for iptables-restore --noflush with that many rules. */
export function foreignRules(count: number): string {
  const chains: string[] = [':KUBE-SERVICES - [0:0]'];
  const rules: string[] = [];
  for (let i = 0; rules.length < count; i += 1) {
    const chain = `KUBE-SVC-${i.toString(32).toUpperCase().padStart(16, 'A')}`;
    const ip = `10.96.${(i >> 8) & 255}.${i & 255}`;
    chains.push(`:${chain} - [0:0]`);
    rules.push(`-A KUBE-SERVICES -d ${ip}/32 -p tcp -m comment --comment "ns-${i % 50}/service-${i}:http cluster IP" -m tcp --dport 80 -j ${chain}`);
    for (let n = 0; n < PER_CHAIN && rules.length < count; n += 1) {
      rules.push(`-A ${chain} -s 10.244.${n}.${i & 255}/32 -m comment --comment "ns-${i % 50}/service-${i}:http" -m mark --mark 0x4000/0x4000 -j RETURN`);
    }
  }
  // kube-proxy's own hook, where it stands after ours.
  const hook = count === 0 ? [] : ['-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES'];
  return `*filter\n${chains.join('\n')}\n${rules.join('\n')}\n${hook.join('\n')}${hook.length > 0 ? '\n' : ''}COMMIT\n`;
}
