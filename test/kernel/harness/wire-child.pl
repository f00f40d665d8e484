# The program at one end of a wire: puts packets on it as they are given, and reports what arrives. Node has no raw sockets; Perl is
# part of every Debian system.
#
#   standard input:   "<interface> <packet>": an IPv4 packet with its header, in hex, leaves by that interface
#   standard output:  "sent <error>": 0, or the error with which the kernel refused to send it (1, EPERM: the OUTPUT hook dropped it)
#                     "ready": from now on nothing is missed
#                     "tap <packet>": came in by an interface, before any rule saw it
#                     "own <packet>": was given to a process of this namespace, behind the INPUT hook
#   Of each packet the first 64 bytes.

use strict;
use warnings;
use Socket;

use constant { AF_PACKET => 17, SO_BINDTODEVICE => 25, SO_RCVBUFFORCE => 33, IPPROTO_RAW => 255, ETH_P_IP_NETWORK_ORDER => unpack('S', pack('n', 0x0800)) };

$| = 1;
socket(my $out, AF_INET, SOCK_RAW, IPPROTO_RAW) or die "raw socket: $!";
my %sources;
socket(my $tap, AF_PACKET, SOCK_DGRAM, ETH_P_IP_NETWORK_ORDER) or die "packet socket: $!";
$sources{fileno $tap} = ['tap', $tap];
for my $protocol (@ARGV) {
  socket(my $own, AF_INET, SOCK_RAW, $protocol) or die "raw socket of protocol $protocol: $!";
  $sources{fileno $own} = ['own', $own];
}
setsockopt($_->[1], SOL_SOCKET, SO_RCVBUFFORCE, pack('i', 8 << 20)) for values %sources;

print "ready\n";
my $input = '';
while (1) {
  my $ready = '';
  vec($ready, $_, 1) = 1 for 0, keys %sources;
  select($ready, undef, undef, undef);
  for my $source (grep { vec($ready, $_, 1) } keys %sources) {
    my ($name, $socket) = @{$sources{$source}};
    print "$name ", unpack('H*', $_), "\n" while defined recv($socket, $_, 64, MSG_DONTWAIT);
  }
  next unless vec($ready, 0, 1);
  sysread(STDIN, $input, 65536, length $input) or exit;
  while ($input =~ s/^(\S+) (\S+)\n//) {
    my ($interface, $packet) = ($1, pack('H*', $2));
    my $destination = substr($packet, 16, 4);
    my $done = setsockopt($out, SOL_SOCKET, SO_BINDTODEVICE, "$interface\0") && send($out, $packet, 0, pack_sockaddr_in(0, $destination));
    print 'sent ', defined $done && $done ? 0 : $! + 0, "\n";
  }
}
