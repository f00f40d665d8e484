// Transactions for which the fake kernel must do what the real one does, each from the same starting point. `refused` says what
// must come of it, by hand; where the backends differ it names those that refuse.

import type { Family } from '../../src/model/packet.ts';
import type { Backend } from '../fakes/rule-tables.ts';

export interface RuleCase {
  readonly name: string;
  readonly body: string;
  readonly refused?: true | Backend;
  readonly family?: Family;
}

export const setup = [
  'create nets hash:net family inet maxelem 100',
  'create pairs hash:ip,port family inet maxelem 100',
  'create nets6 hash:net family inet6 maxelem 100',
];

/** Restored without --noflush before each case: it is all there is in the table. */
export const start = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:cali-a - [0:0]
:cali-b - [0:0]
:zz - [0:0]
-A INPUT -j cali-a
-A cali-a -s 10.0.0.1/32 -j cali-b
-A cali-a -p tcp -m tcp --dport 80 -j ACCEPT
-A cali-a -j DROP
-A cali-b -j RETURN
COMMIT
`;

/** The same without IPv4 addresses. */
export const start6 = start.replace('10.0.0.1/32', 'fd00::1/128');

const name28 = 'n'.repeat(28);
const comment255 = 'c'.repeat(255);

export const transactionCases: readonly RuleCase[] = [
  { name: 'an empty transaction', body: '' },
  { name: 'a declaration flushes an own chain', body: ':cali-a - [0:0]' },
  { name: 'a declaration without counters', body: ':cali-a -' },
  { name: 'a declaration without policy', body: ':n1', refused: true },
  { name: 'a policy on a built-in chain keeps its rules', body: ':INPUT DROP [0:0]' },
  { name: 'a built-in chain declared with "-"', body: ':INPUT - [0:0]' },
  { name: 'a policy that does not exist', body: ':INPUT REJECT [0:0]', refused: true },
  { name: 'an append to a missing chain', body: '-A nope -j ACCEPT', refused: true },
  { name: 'a jump to a chain that is declared later', body: ':n1 - [0:0]\n-A n1 -j n2\n:n2 - [0:0]', refused: true },
  { name: 'a jump to a missing chain', body: '-A zz -p tcp -j nope', refused: true },
  { name: 'a goto to a missing chain', body: '-A zz -g nope', refused: true },
  { name: 'a jump to a built-in chain', body: '-A zz -j FORWARD', refused: true },
  { name: 'an insert at the top', body: '-I cali-a -j RETURN' },
  { name: 'a numbered insert', body: '-I cali-a 2 -j RETURN' },
  { name: 'a numbered insert at the end', body: '-I cali-a 4 -j RETURN' },
  { name: 'a numbered insert beyond the end', body: '-I cali-a 5 -j RETURN', refused: true },
  { name: 'a numbered insert at 0', body: '-I cali-a 0 -j RETURN', refused: true },
  { name: 'an insert into an empty chain', body: '-I zz 1 -j RETURN' },
  { name: 'two numbered inserts', body: '-I cali-a 2 -j RETURN\n-I cali-a 3 -p udp -j RETURN' },
  { name: 'an insert between rules of the same transaction', body: ':n - [0:0]\n-A n -p tcp\n-A n -p udp\n-I n 2 -p icmp' },
  { name: 'a deletion by value', body: '-D cali-a -s 10.0.0.1 -j cali-b' },
  { name: 'a deletion by value, spelled differently', body: '-D cali-a -p 6 --dport 80:80 -j ACCEPT' },
  { name: 'a deletion of a rule that is not there', body: '-D cali-a -s 10.0.0.2 -j cali-b', refused: true },
  { name: 'a deletion by number', body: '-D cali-a 2' },
  { name: 'a deletion by a number beyond the end', body: '-D cali-a 4', refused: true },
  { name: 'a deletion by value of what the same transaction added', body: '-A cali-a -p udp -j DROP\n-D cali-a -p udp -j DROP' },
  { name: 'a deletion by number of what the same transaction added', body: '-A cali-a -p udp -j DROP\n-D cali-a 4' },
  { name: 'a deletion by value takes the first of equals', body: '-A zz -p tcp\n-A zz -p udp\n-A zz -p tcp\n-D zz -p tcp' },
  { name: 'a deletion in a built-in chain', body: '-D INPUT -j cali-a' },
  { name: 'a replacement', body: '-R cali-a 2 -p udp -j ACCEPT' },
  { name: 'a replacement beyond the end', body: '-R cali-a 4 -p udp -j ACCEPT', refused: true },
  { name: 'a replacement without number', body: '-R cali-a -p udp -j ACCEPT', refused: true },
  { name: 'a flush', body: '-F cali-a' },
  { name: 'a flush of a built-in chain', body: '-F INPUT' },
  { name: 'a flush of a missing chain', body: '-F nope', refused: true },
  { name: 'a removal of a chain with rules', body: '-X cali-b', refused: true },
  { name: 'a removal of a chain that is jumped to', body: '-F cali-b\n-X cali-b', refused: true },
  { name: 'a removal of an empty chain', body: '-X zz' },
  { name: 'a removal of a missing chain', body: '-X nope', refused: true },
  { name: 'a removal after the jump is gone', body: '-D cali-a 1\n-F cali-b\n-X cali-b' },
  { name: 'a removal before the jump is gone', body: '-F cali-b\n-X cali-b\n-D cali-a 1', refused: true },
  { name: 'a removal after a declaration flushed both', body: ':cali-a - [0:0]\n:cali-b - [0:0]\n-X cali-b' },
  { name: 'a new chain by -N', body: '-N nn\n-A nn -j DROP' },
  { name: 'an existing chain by -N', body: '-N zz', refused: true },
  { name: 'long options', body: '--append zz --match comment --comment x --jump DROP\n--insert zz 1 --goto cali-b\n--delete zz 1\n--flush cali-a\n--delete-chain zz', refused: true },
  { name: 'long options of a sound transaction', body: '--append zz --match comment --comment x --jump DROP\n--insert zz 1 --goto cali-b\n--delete zz 1' },
  { name: 'a chain name of 28 characters', body: `:${name28} - [0:0]\n-A zz -j ${name28}` },
  { name: 'a chain name of 29 characters', body: `:${name28}n - [0:0]`, refused: true },
  { name: 'a jump to a name of 29 characters', body: `-A zz -j ${name28}n`, refused: true },
  { name: 'a chain with the name of a target', body: ':ACCEPT - [0:0]', refused: true },
  { name: 'a comment of 255 characters', body: `-A zz -m comment --comment "${comment255}"` },
  { name: 'a chain that jumps to itself and that nothing reaches', body: '-A zz -j zz' },
  { name: 'a loop that a packet can enter', body: '-I cali-b -j cali-a', refused: true },
  { name: 'a loop of gotos', body: '-I cali-b -g cali-a', refused: true },
  { name: 'a loop behind a condition', body: '-I cali-b -p tcp -j cali-a', refused: true },
  { name: 'jumps nested 15 deep', body: nested(15) },
  { name: 'jumps nested 16 deep', body: nested(16), refused: 'nft' },
  { name: 'comments and empty lines', body: '# one\n\n-A zz -j DROP\n# two' },
  { name: 'blanks at the ends of a line', body: ' -A zz -j DROP  ' },
  { name: 'tabs between arguments', body: '-A\tzz\t-j\tDROP' },
  { name: 'a carriage return', body: '-A zz -j DROP\r', refused: true },
  { name: 'a table inside a table', body: '*raw', refused: true },
  { name: 'a word that is no command', body: 'hello', refused: true },
  { name: 'a table named again in a line', body: '-t filter -A zz -j DROP', refused: true },
  { name: 'a stray argument', body: '-A zz 1 -j DROP', refused: true },
  { name: 'single quotes', body: "-A zz -m comment --comment 'abc d' -j DROP", refused: true },
  { name: 'a quote in the middle of a word', body: '-A zz -m comment --comment ab"c d"e -j DROP', refused: true },
  { name: 'a sound line before a refused one leaves nothing', body: ':n1 - [0:0]\n-A zz -j DROP\n-A nope -j DROP', refused: true },
];

function nested(depth: number): string {
  const names = Array.from({ length: depth }, (_, i) => `deep${i}`);
  const jumps = names.slice(1).map((name, i) => `-A ${names[i]} -j ${name}`);
  return [...names.map((name) => `:${name} - [0:0]`), ...jumps, '-I INPUT -j deep0'].join('\n');
}

const accepted: readonly string[] = [
  '-p tcp', '-p 6', '-p TCP', '-p udp', '-p sctp', '-p 132', '-p udplite', '-p 136', '-p ipencap', '-p 4', '-p icmp', '-p ipv6-icmp',
  '-p 58', '-p gre', '-p 200', '-p all', '! -p tcp', '! -p 4',
  '-s 10.0.0.1', '-s 10.1.2.3/8', '-s 0.0.0.0/0', '! -s 10.0.0.0/8', '! -d 10.0.0.1', '-d 10.0.0.0/8 -s 10.1.0.0/16',
  '-d 10.0.0.0/255.0.0.0', '--source 10.0.0.1 --destination 10.0.0.2',
  '-i eth0', '-i cali+', '! -i cali+', '-o cali+', '! -o eth0', '-i +', '-i exactly15chars1', '--in-interface a --out-interface b',
  '-m mark --mark 0x10000/0x10000', '-m mark --mark 0x0/0x10000', '-m mark --mark 0/0x10000', '-m mark ! --mark 0x10000/0x10000',
  '-m mark --mark 1', '-m mark --mark 65536/65536', '-m mark --mark 0x5/0x1', '-m mark --mark 0x1/0xffffffff', '-m mark --mark 0x1 -m mark --mark 0x2',
  '-m set --match-set nets src', '-m set --match-set nets dst', '-m set ! --match-set nets src', '-m set --match-set pairs src,src',
  '-m set --match-set pairs dst,dst', '-m set ! --match-set pairs dst,dst', '-m set --match-set nets src,src', '-m set --match-set pairs dst',
  '-m set --match-set nets src -m set --match-set pairs dst,dst', '--match set --match-set nets src',
  '-p tcp -m multiport --dports 80,443', '-p tcp -m multiport --destination-ports 80,443:445', '-p tcp -m multiport ! --dports 80,443:445',
  '-p udp -m multiport --source-ports 80', '-p udp -m multiport --ports 80,90', '-p 17 -m multiport --sports 0:65535',
  '-p udplite -m multiport --dports 9', '-p tcp -m multiport --dports 80 -m multiport --sports 90',
  '-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15', '-p tcp -m multiport --dports 1:2,3:4,5:6,7:8,9:10,11:12,13:14,15',
  '-p tcp --dport 80', '-p tcp -m tcp --dport 80', '-p tcp -m tcp ! --dport 80', '-p tcp ! --dport 80', '-p tcp -m tcp --dport 80:90',
  '-p tcp -m tcp --dport 80:', '-p tcp -m tcp --dport :90', '-p tcp -m tcp --dport 0:65535', '-p tcp -m tcp --sport 1:2 --dport 3',
  '-p tcp --destination-port 80', '-p tcp -m tcp', '-p udp -m udp --sport 53', '-p sctp --dport 9:10', '-p dccp --dport 9',
  '-m conntrack --ctstate RELATED,ESTABLISHED', '-m conntrack --ctstate ESTABLISHED,RELATED', '-m conntrack --ctstate INVALID',
  '-m conntrack --ctstate UNTRACKED', '-m conntrack ! --ctstate NEW,INVALID', '-m conntrack ! --ctstate DNAT', '-m conntrack --ctstate SNAT,NEW',
  '-m state --state NEW,ESTABLISHED',
  '-m comment --comment hello', '-m comment --comment "hello world"', '-m comment --comment "he said \\"hi\\" \\\\ done"',
  '-m comment --comment "cali:AbCdEf-_12345678" -m comment --comment "Policy knp/default/web ingress"', '-m comment --comment "it\'s"',
  '-m comment --comment ""', '-m comment --comment "a=b"', '-m comment --comment "%+=:,./-@"', '-m comment --comment é', '-m comment --comment ab\\c',
  '-p icmp -m icmp --icmp-type 8', '-p icmp --icmp-type 8/0', '-p icmp -m icmp ! --icmp-type 3/1', '-p icmp -m icmp --icmp-type any',
  '-p icmp --icmp-type 255/0', '-p icmp -m icmp --icmp-type 200/3',
  '-m limit --limit 10/sec --limit-burst 5', '-m limit --limit 3/min', '-m limit --limit 7/sec --limit-burst 100', '-m limit --limit 60/min',
  '-m limit --limit 100/hour', '-m limit', '-m limit --limit 5000/sec',
  '-m addrtype --src-type LOCAL', '-m addrtype ! --dst-type LOCAL',
  '-m comment --comment c -p tcp -m tcp --dport 80 -s 10.0.0.1 -i eth0 -m mark --mark 0x1/0x1',
  '-p tcp -m comment --comment a --dport 80 -m mark --mark 1', '-m mark --mark 1 -p tcp -m comment --comment a --dport 80',
].flatMap((match) => [`${match} -j ACCEPT`]);

const targets: readonly string[] = [
  '', '-j ACCEPT', '-j DROP', '-j RETURN', '--jump cali-b', '-g cali-b', '-j REJECT', '-j REJECT --reject-with icmp-host-prohibited',
  '-j REJECT --reject-with icmp-admin-prohibited', '-p tcp -j REJECT --reject-with tcp-reset',
  '-j MARK --set-mark 0x1', '-j MARK --set-mark 0x10000/0x10000', '-j MARK --set-mark 0x3/0x1', '-j MARK --set-xmark 0x10000/0x10000',
  '-j MARK --set-xmark 0x0/0x1b0000', '-j MARK --set-xmark 0/0x1b0000', '-j MARK --set-xmark 0x1/0x0', '-j MARK --or-mark 0x10000',
  '-j MARK --and-mark 0xffe4ffff', '-j MARK --xor-mark 0x10000', '-j MARK --set-mark 010',
  '-j LOG', '-j LOG --log-prefix "calico-drop: " --log-level 5', '-j LOG --log-level notice', '-j LOG --log-prefix x --log-level 4 --log-uid',
  '-j LOG --log-prefix 12345678901234567890123456789',
  '-j NFLOG --nflog-group 1 --nflog-prefix "API0|default" --nflog-size 80', '-j NFLOG', '-j NFLOG --nflog-threshold 5 --nflog-group 2',
  '-j DROP -p udp --dport 53', '-j ACCEPT -m comment --comment after', '-m comment --comment nothing',
];

const refused: readonly string[] = [
  '-m multiport --sports 80 -j ACCEPT', '-p icmp -m multiport --sports 80 -j ACCEPT', '! -p tcp -m multiport --sports 80 -j ACCEPT',
  '-p tcp -m tcp --dport 90:80 -j ACCEPT', '-p udplite --dport 9 -j ACCEPT', '-m tcp --dport 9 -j ACCEPT', '-m tcp -j ACCEPT', '--dport 80 -j ACCEPT',
  '-p udp -m tcp --dport 80 -j ACCEPT', '-m icmp --icmp-type 8 -j ACCEPT', '-p icmp -m icmp --icmp-type 300 -j ACCEPT', '-p icmp -m icmp -j ACCEPT',
  '-m rpfilter --invert -j ACCEPT', '-m bogus --x -j ACCEPT', '-m conntrack --ctstate NEW,FOO -j DROP', '-m conntrack --ctstate NEW --ctstate INVALID -j DROP',
  '-m mark -j DROP', '-m mark --mark zz -j DROP', '-m mark --mark 0x100000000 -j DROP', '-m comment -j ACCEPT', '-m addrtype -j DROP',
  '-m limit --limit 20000/sec -j DROP', '-m limit ! --limit 5/sec -j DROP',
  '-m set --match-set missing src -j DROP', '-m set --match-set nets -j DROP', '-m set --match-set nets foo -j DROP', '-m set --match-set nets6 src -j DROP',
  '-m set --match-set nets src,src,src,src,src,src,src -j DROP',
  '-p tcp -m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 -j ACCEPT', '-p tcp -m multiport --dports 1:2,3:4,5:6,7:8,9:10,11:12,13:14,15:16 -j ACCEPT',
  '-p tcp -m multiport --dports 5:4 -j ACCEPT', '-p tcp -m multiport --dports 80 --sports 90 -j DROP',
  '-i exactly15chars12 -j ACCEPT', '-i "" -j DROP', '-s 10.0.0.300 -j ACCEPT', '-s 10.0.0.0/33 -j ACCEPT', '-s fd00::1 -j ACCEPT', '-p nonsense -j ACCEPT',
  '-p 256 -j ACCEPT', '! -p all -j DROP', '-s 10.0.0.1 -s 10.0.0.2 -j ACCEPT', '-j ACCEPT -j DROP', '-j BOGUS', '-j', '-x', 'stray -j ACCEPT',
  '-j REJECT --reject-with tcp-reset', '-j REJECT --reject-with nonsense', '-j MARK', '-j MARK --set-mark 1 --set-mark 2', '-j ACCEPT --bogus',
  '-j LOG --log-level 8', '-j LOG --log-prefix ""', '! ! -s 10.0.0.1', '-s ! 10.0.0.1', '! -j DROP', '! -m comment --comment x -j DROP', '-g cali-b -j DROP',
];

/** One rule each, appended to an empty chain that nothing reaches. */
export const ruleShapes: readonly RuleCase[] = [
  ...[...accepted, ...targets].map((rule) => ({ name: rule, body: `-A zz ${rule}` })),
  ...refused.map((rule) => ({ name: rule, body: `-A zz ${rule}`, refused: true as const })),
  { name: 'in INPUT an out-interface', body: '-A INPUT -o eth0 -j DROP', refused: true },
  { name: 'in OUTPUT an in-interface', body: '-A OUTPUT -i eth0 -j DROP', refused: true },
];

const accepted6: readonly string[] = [
  '-s fd00::1', '-s FD00:0::1', '-s fd00::/8', '-d fd00:1:2:3:4:5:6:7/64', '! -s fe80::/10', '-s ::/0', '-s ::ffff:10.0.0.1',
  '-p ipv6-icmp', '-p icmpv6 -m icmp6 --icmpv6-type 128', '-p 58 --icmpv6-type 128/0', '-p ipv6-icmp -m icmp6 ! --icmpv6-type 1/4',
  '-m set --match-set nets6 src', '-p tcp -m multiport --dports 80', '-m conntrack --ctstate INVALID',
];

const refused6: readonly string[] = [
  '-s 10.0.0.1 -j ACCEPT', '-m set --match-set nets src -j ACCEPT', '-p icmp -m icmp --icmp-type 8 -j DROP', '-p tcp -m icmp6 --icmpv6-type 8 -j DROP',
  '-s fd00::/129 -j DROP', '-s fd00::1::2 -j DROP',
];

export const ruleShapes6: readonly RuleCase[] = [
  ...accepted6.map((rule) => ({ name: rule, body: `-A zz ${rule} -j ACCEPT`, family: 6 as const })),
  { name: 'REJECT', body: '-A zz -j REJECT', family: 6 },
  { name: 'REJECT with a reason', body: '-A zz -j REJECT --reject-with icmp6-adm-prohibited', family: 6 },
  ...refused6.map((rule) => ({ name: rule, body: `-A zz ${rule}`, refused: true as const, family: 6 as const })),
];

/** What the tools take, but change, expand or ignore without a word; the fake refuses it, so that no test gets used to it. */
export const stricter: readonly RuleCase[] = [
  { name: 'a comment of 256 characters, which is cut', body: `-A zz -m comment --comment "${comment255}c"` },
  { name: 'a log prefix of 30 characters, which is cut', body: '-A zz -j LOG --log-prefix 123456789012345678901234567890' },
  { name: 'a flush of all chains', body: '-F' },
  { name: 'a rename', body: '-E zz yy' },
  { name: 'a list of sources, which makes several rules', body: '-A zz -s 10.0.0.1,10.0.0.2 -j ACCEPT' },
  { name: 'an interface name with a blank', body: '-A zz -i "a b" -j DROP' },
  { name: 'a match that is not known to simulate', body: '-A zz -m pkttype --pkt-type broadcast -j DROP' },
  { name: 'a port by name', body: '-A zz -p tcp -m tcp --dport http -j ACCEPT' },
];
