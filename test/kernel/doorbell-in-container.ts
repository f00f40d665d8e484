// Run by doorbell-nft.test.ts in a process namespace of its own: writes through a coprocess, then lets somebody else write, and prints
// how often it rang for each.

import { createCommandRunner } from '../../src/dataplane/command.ts';
import { NftDoorbell } from '../../src/dataplane/doorbell-nft.ts';
import type { Ring } from '../../src/dataplane/doorbell.ts';
import { openRules } from '../../src/dataplane/tools.ts';
import { eventually } from './harness/eventually.ts';

const runner = createCommandRunner();
const rings: Ring[] = [];
const doorbell = new NftDoorbell({ runner, onRing: (ring) => rings.push(ring) });
await doorbell.listening();
const rules = await openRules({ runner, backend: 'nft', family: 4, coprocess: true, observer: doorbell.observer });
for (let port = 1; port <= 20; port += 1) await rules.restore(`*filter\n:cali-a - [0:0]\n-A cali-a -p tcp --dport ${port} -j ACCEPT\nCOMMIT\n`);
await runner.run('iptables-nft', ['-F', 'cali-a']);
await eventually('the foreign change rings', () => rings.some(({ culprit }) => culprit?.name === 'iptables-nft'));
const foreignRings = rings.filter(({ culprit }) => culprit?.name === 'iptables-nft').length;
process.stdout.write(JSON.stringify({ ownRings: rings.length - foreignRings, foreignRings }));
await rules.close();
await doorbell.close();
