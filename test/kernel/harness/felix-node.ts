// A node as Calico's Felix leaves it, for the pods friend, server, stranger and visitor of the namespace "shop" (stage.ts gives them
// their addresses in this order) and two policies: server-from-friend and visitor-closed. As iptables-save and ipset save print it.
//
// Chains, their order and their marks are Felix's (felix/rules); the hashes have its form and were made up where a node's own names
// go into them. Raw lets connections be checked against routes; mangle and nat are those of a cluster with a pool that masquerades.

export const felixSets = `create cali40s:YJ9iO7IbiIIdxnQe6B4GnLx hash:net family inet hashsize 1024 maxelem 1048576
add cali40s:YJ9iO7IbiIIdxnQe6B4GnLx 10.70.0.11
create cali40s:rCqoKZC9tFDlFNGTvXnGXKu hash:net family inet hashsize 1024 maxelem 1048576
add cali40s:rCqoKZC9tFDlFNGTvXnGXKu 10.70.0.13
create cali40masq-ipam-pools hash:net family inet hashsize 1024 maxelem 1048576
add cali40masq-ipam-pools 10.70.0.0/16
create cali40network-ip-pools hash:net family inet hashsize 1024 maxelem 1048576
add cali40network-ip-pools 10.70.0.0/16
create cali40this-host hash:ip family inet hashsize 1024 maxelem 1048576
add cali40this-host 172.31.0.1
create cali4t0 hash:net family inet hashsize 1024 maxelem 1048576
`;

export const felixFilter = `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:cali-FORWARD - [0:0]
:cali-INPUT - [0:0]
:cali-OUTPUT - [0:0]
:cali-cidr-block - [0:0]
:cali-from-hep-forward - [0:0]
:cali-from-host-endpoint - [0:0]
:cali-from-wl-dispatch - [0:0]
:cali-from-wl-dispatch-6 - [0:0]
:cali-fw-calib14252392ff - [0:0]
:cali-fw-calief55754bb84 - [0:0]
:cali-fw-cali670e5c7bc04 - [0:0]
:cali-fw-cali63b82819729 - [0:0]
:cali-pi-_UbiolL_c5RaYda35vDC - [0:0]
:cali-pi-_WuEP1dnv3ay54N0x-2i - [0:0]
:cali-pri-kns.shop - [0:0]
:cali-pri-ksa.shop.default - [0:0]
:cali-pro-kns.shop - [0:0]
:cali-pro-ksa.shop.default - [0:0]
:cali-to-hep-forward - [0:0]
:cali-to-host-endpoint - [0:0]
:cali-to-wl-dispatch - [0:0]
:cali-to-wl-dispatch-6 - [0:0]
:cali-tw-calib14252392ff - [0:0]
:cali-tw-calief55754bb84 - [0:0]
:cali-tw-cali670e5c7bc04 - [0:0]
:cali-tw-cali63b82819729 - [0:0]
:cali-wl-to-host - [0:0]
-A INPUT -m comment --comment "cali:Cz_u1IQiXIMmKD4c" -j cali-INPUT
-A FORWARD -m comment --comment "cali:wUHhoiAYhphO9Mso" -j cali-FORWARD
-A FORWARD -m comment --comment "cali:S93hcgKJrXEqnTfs" -m comment --comment "Policy explicitly accepted packet." -m mark --mark 0x10000/0x10000 -j ACCEPT
-A FORWARD -m comment --comment "cali:mp77cMpurHhyjLrM" -j MARK --set-xmark 0x10000/0x10000
-A OUTPUT -m comment --comment "cali:tVnHkvAo15HuiPy0" -j cali-OUTPUT
-A cali-FORWARD -m comment --comment "cali:FNrLIaXK8L5Qh28V" -j MARK --set-xmark 0x0/0x1a0000
-A cali-FORWARD -m comment --comment "cali:kSjhCr2CH0D6j04B" -m mark --mark 0x0/0x10000 -j cali-from-hep-forward
-A cali-FORWARD -i cali+ -m comment --comment "cali:EMK31LQ5-19lDkMe" -j cali-from-wl-dispatch
-A cali-FORWARD -o cali+ -m comment --comment "cali:EcwucjR5ujfVI8wY" -j cali-to-wl-dispatch
-A cali-FORWARD -m comment --comment "cali:IBa4mDdUha5PfAmY" -j cali-to-hep-forward
-A cali-FORWARD -m comment --comment "cali:ws2Al1liiZMWKBaK" -j cali-cidr-block
-A cali-INPUT -i cali+ -m comment --comment "cali:jm9TfEbNOYvozCy5" -g cali-wl-to-host
-A cali-INPUT -m comment --comment "cali:7PN615jcULTkuIof" -m mark --mark 0x10000/0x10000 -j ACCEPT
-A cali-INPUT -m comment --comment "cali:l0ml2kRBpggODQcP" -j MARK --set-xmark 0x0/0x1b0000
-A cali-INPUT -m comment --comment "cali:bUjQb5qqabEP0d-4" -j cali-from-host-endpoint
-A cali-INPUT -m comment --comment "cali:wAzYc9-RP6Dz-jR3" -m comment --comment "Host endpoint policy accepted packet." -m mark --mark 0x10000/0x10000 -j ACCEPT
-A cali-OUTPUT -m comment --comment "cali:p57aK0zxUjE6qrE6" -m mark --mark 0x10000/0x10000 -j ACCEPT
-A cali-OUTPUT -o cali+ -m comment --comment "cali:l8eroCzkHJRLKM--" -j RETURN
-A cali-OUTPUT -m comment --comment "cali:WvOuQNzRUGAwpY1W" -j MARK --set-xmark 0x0/0x1b0000
-A cali-OUTPUT -m comment --comment "cali:gFDVQ35-51rxj44n" -m conntrack ! --ctstate DNAT -j cali-to-host-endpoint
-A cali-OUTPUT -m comment --comment "cali:eV3H6X_bTmg8D1WI" -m comment --comment "Host endpoint policy accepted packet." -m mark --mark 0x10000/0x10000 -j ACCEPT
-A cali-from-wl-dispatch -i cali6+ -m comment --comment "cali:dzecdK_U5MEQzlQJ" -g cali-from-wl-dispatch-6
-A cali-from-wl-dispatch -i calib14252392ff -m comment --comment "cali:O3AS8e9QkZF8gTTk" -g cali-fw-calib14252392ff
-A cali-from-wl-dispatch -i calief55754bb84 -m comment --comment "cali:wvjnHE42x5rVuFw7" -g cali-fw-calief55754bb84
-A cali-from-wl-dispatch -m comment --comment "cali:FD4xu1elonKh2s2v" -m comment --comment "Unknown interface" -j DROP
-A cali-from-wl-dispatch-6 -i cali63b82819729 -m comment --comment "cali:v7OsyQtfLpWXlSVf" -g cali-fw-cali63b82819729
-A cali-from-wl-dispatch-6 -i cali670e5c7bc04 -m comment --comment "cali:9ANGXAiMBIi8F6Um" -g cali-fw-cali670e5c7bc04
-A cali-from-wl-dispatch-6 -m comment --comment "cali:e3pNCV55E6TIEIw9" -m comment --comment "Unknown interface" -j DROP
-A cali-fw-calib14252392ff -m comment --comment "cali:l7Nm5KE_VKzerQa8" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A cali-fw-calib14252392ff -m comment --comment "cali:NvOxrccoMCGuDISh" -m conntrack --ctstate INVALID -j DROP
-A cali-fw-calib14252392ff -m comment --comment "cali:3z_PCKbgd2Vobc2I" -j MARK --set-xmark 0x0/0x30000
-A cali-fw-calib14252392ff -p udp -m comment --comment "cali:KwmGrF04COulpNqP" -m comment --comment "Drop VXLAN encapped packets originating in workloads" -m multiport --dports 4789 -j DROP
-A cali-fw-calib14252392ff -p ipencap -m comment --comment "cali:zRZ9r8x4YTdo72BE" -m comment --comment "Drop IPinIP encapped packets originating in workloads" -j DROP
-A cali-fw-calib14252392ff -m comment --comment "cali:PyohXake1hbfQbir" -j cali-pro-kns.shop
-A cali-fw-calib14252392ff -m comment --comment "cali:1-2RgfM80W66U6jK" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-fw-calib14252392ff -m comment --comment "cali:GvMTwAo5QAx-2Aqn" -j cali-pro-ksa.shop.default
-A cali-fw-calib14252392ff -m comment --comment "cali:LkcWRKt5ItmO3beZ" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-fw-calib14252392ff -m comment --comment "cali:UGPC6LZolrjrrwiF" -m comment --comment "Drop if no profiles matched" -j DROP
-A cali-fw-calief55754bb84 -m comment --comment "cali:d4GgpiN6w_2e9RPG" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A cali-fw-calief55754bb84 -m comment --comment "cali:eA_2KsbzBa-_p1rs" -m conntrack --ctstate INVALID -j DROP
-A cali-fw-calief55754bb84 -m comment --comment "cali:2E3TZQHKFZOH8Gfx" -j MARK --set-xmark 0x0/0x30000
-A cali-fw-calief55754bb84 -p udp -m comment --comment "cali:nmi_4pdfXRH8TJgv" -m comment --comment "Drop VXLAN encapped packets originating in workloads" -m multiport --dports 4789 -j DROP
-A cali-fw-calief55754bb84 -p ipencap -m comment --comment "cali:yZK_HEwi6Ys5yw-9" -m comment --comment "Drop IPinIP encapped packets originating in workloads" -j DROP
-A cali-fw-calief55754bb84 -m comment --comment "cali:p8UgrWou5JXpivIZ" -j cali-pro-kns.shop
-A cali-fw-calief55754bb84 -m comment --comment "cali:XLoIrPiNImCHOSCx" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-fw-calief55754bb84 -m comment --comment "cali:K2TJVFnNWuE4Kzba" -j cali-pro-ksa.shop.default
-A cali-fw-calief55754bb84 -m comment --comment "cali:u28NyvK9SCN8tPuL" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-fw-calief55754bb84 -m comment --comment "cali:BPyqI4IEBbHvx6LH" -m comment --comment "Drop if no profiles matched" -j DROP
-A cali-fw-cali670e5c7bc04 -m comment --comment "cali:y8vb3z1W7zWxKz8X" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A cali-fw-cali670e5c7bc04 -m comment --comment "cali:QRKqa8ywq0MpWOOA" -m conntrack --ctstate INVALID -j DROP
-A cali-fw-cali670e5c7bc04 -m comment --comment "cali:pp4UvZj2kPmYOv2L" -j MARK --set-xmark 0x0/0x30000
-A cali-fw-cali670e5c7bc04 -p udp -m comment --comment "cali:r-jHgpJcrZvm79C6" -m comment --comment "Drop VXLAN encapped packets originating in workloads" -m multiport --dports 4789 -j DROP
-A cali-fw-cali670e5c7bc04 -p ipencap -m comment --comment "cali:yHZUJIwvNsV1teXq" -m comment --comment "Drop IPinIP encapped packets originating in workloads" -j DROP
-A cali-fw-cali670e5c7bc04 -m comment --comment "cali:3nFG-xoi7pEsVzv7" -j cali-pro-kns.shop
-A cali-fw-cali670e5c7bc04 -m comment --comment "cali:PvG13cpMiIAI64D7" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-fw-cali670e5c7bc04 -m comment --comment "cali:4UFHmD-k2EBqkXqD" -j cali-pro-ksa.shop.default
-A cali-fw-cali670e5c7bc04 -m comment --comment "cali:VB200krv8gZqh49P" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-fw-cali670e5c7bc04 -m comment --comment "cali:fYKZ4RmlzavObVax" -m comment --comment "Drop if no profiles matched" -j DROP
-A cali-fw-cali63b82819729 -m comment --comment "cali:0LbtM3Xh9su1wSYI" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A cali-fw-cali63b82819729 -m comment --comment "cali:Hukh0152rfBC2YSY" -m conntrack --ctstate INVALID -j DROP
-A cali-fw-cali63b82819729 -m comment --comment "cali:DBH0f9Nhu7lE2ORB" -j MARK --set-xmark 0x0/0x30000
-A cali-fw-cali63b82819729 -p udp -m comment --comment "cali:FYxMnHYGcu1pTEVT" -m comment --comment "Drop VXLAN encapped packets originating in workloads" -m multiport --dports 4789 -j DROP
-A cali-fw-cali63b82819729 -p ipencap -m comment --comment "cali:xIf7MAxH4q4CK4zD" -m comment --comment "Drop IPinIP encapped packets originating in workloads" -j DROP
-A cali-fw-cali63b82819729 -m comment --comment "cali:W9viW_W-XTURzOti" -j cali-pro-kns.shop
-A cali-fw-cali63b82819729 -m comment --comment "cali:h0bQSIUK4pnJl7WX" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-fw-cali63b82819729 -m comment --comment "cali:7CNquN8IpvJmay9s" -j cali-pro-ksa.shop.default
-A cali-fw-cali63b82819729 -m comment --comment "cali:XIGbNYDV5c7vm-V-" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-fw-cali63b82819729 -m comment --comment "cali:8f_BVZli3esl7J2B" -m comment --comment "Drop if no profiles matched" -j DROP
-A cali-pi-_UbiolL_c5RaYda35vDC -m comment --comment "cali:CT50L0U75sokOd4a" -m comment --comment "KubernetesNetworkPolicy shop/server-from-friend ingress" -m set --match-set cali40s:YJ9iO7IbiIIdxnQe6B4GnLx src -j MARK --set-xmark 0x10000/0x10000
-A cali-pi-_WuEP1dnv3ay54N0x-2i -m comment --comment "cali:vvnp_jsdUWBIW26J" -m comment --comment "KubernetesNetworkPolicy shop/visitor-closed ingress"
-A cali-pri-kns.shop -m comment --comment "cali:OPesesb3i3JPcXJD" -m comment --comment "Profile kns.shop ingress" -j MARK --set-xmark 0x10000/0x10000
-A cali-pri-ksa.shop.default -m comment --comment "cali:UlBbQO86lwyRoE3G" -m comment --comment "Profile ksa.shop.default ingress"
-A cali-pro-kns.shop -m comment --comment "cali:RedzdOwYMlD5chUl" -m comment --comment "Profile kns.shop egress" -j MARK --set-xmark 0x10000/0x10000
-A cali-pro-ksa.shop.default -m comment --comment "cali:Wu22VdtnkC3i5tXP" -m comment --comment "Profile ksa.shop.default egress"
-A cali-to-wl-dispatch -o cali6+ -m comment --comment "cali:wVc_An3TdDRGe4vV" -g cali-to-wl-dispatch-6
-A cali-to-wl-dispatch -o calib14252392ff -m comment --comment "cali:OyOK1lx3ZWgGvp2k" -g cali-tw-calib14252392ff
-A cali-to-wl-dispatch -o calief55754bb84 -m comment --comment "cali:ptz-xJGUXVQIVKa_" -g cali-tw-calief55754bb84
-A cali-to-wl-dispatch -m comment --comment "cali:noqhXIrKS5-arBZS" -m comment --comment "Unknown interface" -j DROP
-A cali-to-wl-dispatch-6 -o cali63b82819729 -m comment --comment "cali:RmAqrapb2dDOLVz5" -g cali-tw-cali63b82819729
-A cali-to-wl-dispatch-6 -o cali670e5c7bc04 -m comment --comment "cali:CccMD5bBzrGtQ_tA" -g cali-tw-cali670e5c7bc04
-A cali-to-wl-dispatch-6 -m comment --comment "cali:DzOppRITL9WnQe8K" -m comment --comment "Unknown interface" -j DROP
-A cali-tw-calib14252392ff -m comment --comment "cali:qzOpdfXh9r48rCEn" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A cali-tw-calib14252392ff -m comment --comment "cali:-1JjLhQ6BOto55a1" -m conntrack --ctstate INVALID -j DROP
-A cali-tw-calib14252392ff -m comment --comment "cali:l5wMKMoCtzrjDagN" -j MARK --set-xmark 0x0/0x30000
-A cali-tw-calib14252392ff -m comment --comment "cali:KdZUiyP1vfRu73Td" -j cali-pri-kns.shop
-A cali-tw-calib14252392ff -m comment --comment "cali:28OnqV7g3MTkJIbM" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-tw-calib14252392ff -m comment --comment "cali:d5gcCUks6CYa7YH2" -j cali-pri-ksa.shop.default
-A cali-tw-calib14252392ff -m comment --comment "cali:H7S6xkmpXolBpv1q" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-tw-calib14252392ff -m comment --comment "cali:WTIUoi-6DzwmUjEI" -m comment --comment "Drop if no profiles matched" -j DROP
-A cali-tw-calief55754bb84 -m comment --comment "cali:bOyTmA4clmec-tZp" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A cali-tw-calief55754bb84 -m comment --comment "cali:_o7lgmeC_LL9_bSd" -m conntrack --ctstate INVALID -j DROP
-A cali-tw-calief55754bb84 -m comment --comment "cali:VJfCiTZ1u5ccnwOS" -j MARK --set-xmark 0x0/0x30000
-A cali-tw-calief55754bb84 -m comment --comment "cali:Ji-vUsxGkClLOiK3" -m comment --comment "Start of tier default" -j MARK --set-xmark 0x0/0x20000
-A cali-tw-calief55754bb84 -m comment --comment "cali:omM60WaSKbr5aSfl" -m mark --mark 0x0/0x20000 -j cali-pi-_UbiolL_c5RaYda35vDC
-A cali-tw-calief55754bb84 -m comment --comment "cali:bTcLtdPbsx-WUZ_2" -m comment --comment "Return if policy accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-tw-calief55754bb84 -m comment --comment "cali:UX-BWfdn-NFI1qpU" -m comment --comment "End of tier default. Drop if no policies passed packet" -m mark --mark 0x0/0x20000 -j DROP
-A cali-tw-calief55754bb84 -m comment --comment "cali:HaePXeKyIf11s8ku" -j cali-pri-kns.shop
-A cali-tw-calief55754bb84 -m comment --comment "cali:YS4YrRCuT5KAklCg" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-tw-calief55754bb84 -m comment --comment "cali:3FvCagQUninf6htT" -j cali-pri-ksa.shop.default
-A cali-tw-calief55754bb84 -m comment --comment "cali:ADMVU5fdj0jYpb5S" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-tw-calief55754bb84 -m comment --comment "cali:5Ze2bThL781X7Ud9" -m comment --comment "Drop if no profiles matched" -j DROP
-A cali-tw-cali670e5c7bc04 -m comment --comment "cali:YQ47ZXyDZzJWt0Xl" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A cali-tw-cali670e5c7bc04 -m comment --comment "cali:GjkdktzzM-YGyy_w" -m conntrack --ctstate INVALID -j DROP
-A cali-tw-cali670e5c7bc04 -m comment --comment "cali:ognzuyjpTasL8mMm" -j MARK --set-xmark 0x0/0x30000
-A cali-tw-cali670e5c7bc04 -m comment --comment "cali:BrKZfmcFQoxksOKF" -j cali-pri-kns.shop
-A cali-tw-cali670e5c7bc04 -m comment --comment "cali:kuw5zFrUO0zo970J" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-tw-cali670e5c7bc04 -m comment --comment "cali:mGtc2v4GN6nmzmed" -j cali-pri-ksa.shop.default
-A cali-tw-cali670e5c7bc04 -m comment --comment "cali:ytmYazwySl1nwd_v" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-tw-cali670e5c7bc04 -m comment --comment "cali:LWA8UjR4R0G4QFM3" -m comment --comment "Drop if no profiles matched" -j DROP
-A cali-tw-cali63b82819729 -m comment --comment "cali:uLIearNPOhFJmhWT" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A cali-tw-cali63b82819729 -m comment --comment "cali:IIkmvSnohOL4ZZFl" -m conntrack --ctstate INVALID -j DROP
-A cali-tw-cali63b82819729 -m comment --comment "cali:0c_41wT3_hDEmrG0" -j MARK --set-xmark 0x0/0x30000
-A cali-tw-cali63b82819729 -m comment --comment "cali:Ggnygh4nwqFCka-S" -m comment --comment "Start of tier default" -j MARK --set-xmark 0x0/0x20000
-A cali-tw-cali63b82819729 -m comment --comment "cali:caENloDAcXN7iGYe" -m mark --mark 0x0/0x20000 -j cali-pi-_WuEP1dnv3ay54N0x-2i
-A cali-tw-cali63b82819729 -m comment --comment "cali:E5tswSoIZcvBJ99t" -m comment --comment "Return if policy accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-tw-cali63b82819729 -m comment --comment "cali:zxyZfzzYt9OgxtQy" -m comment --comment "End of tier default. Drop if no policies passed packet" -m mark --mark 0x0/0x20000 -j DROP
-A cali-tw-cali63b82819729 -m comment --comment "cali:PHuT1I4Agp9tWd0x" -j cali-pri-kns.shop
-A cali-tw-cali63b82819729 -m comment --comment "cali:k9m2kFQxSXTyDocG" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-tw-cali63b82819729 -m comment --comment "cali:xs_Bojq5STOES6gl" -j cali-pri-ksa.shop.default
-A cali-tw-cali63b82819729 -m comment --comment "cali:J48ycs-yKvE-JVkM" -m comment --comment "Return if profile accepted" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-tw-cali63b82819729 -m comment --comment "cali:XCOPBSYYQi56H7z5" -m comment --comment "Drop if no profiles matched" -j DROP
-A cali-wl-to-host -m comment --comment "cali:okIvuxlf4RKs--_4" -j cali-from-wl-dispatch
-A cali-wl-to-host -m comment --comment "cali:3ykP6aVj3kL9fBJ4" -m comment --comment "Configured DefaultEndpointToHostAction" -j DROP
COMMIT
`;

export const felixOtherTables = `*raw
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:cali-OUTPUT - [0:0]
:cali-PREROUTING - [0:0]
:cali-from-host-endpoint - [0:0]
:cali-rpf-skip - [0:0]
:cali-to-host-endpoint - [0:0]
-A PREROUTING -m comment --comment "cali:6gwbT8clXdHdC1b1" -j cali-PREROUTING
-A OUTPUT -m comment --comment "cali:tVnHkvAo15HuiPy0" -j cali-OUTPUT
-A cali-OUTPUT -m comment --comment "cali:SSdoJQCbmRhjABpb" -j MARK --set-xmark 0x0/0x1b0000
-A cali-OUTPUT -m comment --comment "cali:QGUFdNo9vq-M0YiA" -j cali-to-host-endpoint
-A cali-OUTPUT -m comment --comment "cali:Jij1mElt1U1nvdT2" -m mark --mark 0x10000/0x10000 -j ACCEPT
-A cali-PREROUTING -m comment --comment "cali:qkxdmKpREpiIc3QO" -j MARK --set-xmark 0x0/0x1b0000
-A cali-PREROUTING -i cali+ -m comment --comment "cali:RONJJBbuYPKgo90F" -j MARK --set-xmark 0x80000/0x80000
-A cali-PREROUTING -m comment --comment "cali:4Cxh0jaDvQw3WDlk" -m mark --mark 0x80000/0x80000 -j cali-rpf-skip
-A cali-PREROUTING -m comment --comment "cali:z_Fz17l9xrkdvZLU" -m mark --mark 0x80000/0x80000 -m rpfilter --validmark --invert -j DROP
-A cali-PREROUTING -m comment --comment "cali:w8_zq3ncfsmWOVDS" -m mark --mark 0x0/0x80000 -j cali-from-host-endpoint
-A cali-PREROUTING -m comment --comment "cali:C-uZ4BRxaLjLIH2e" -m mark --mark 0x10000/0x10000 -j ACCEPT
COMMIT
*mangle
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:cali-POSTROUTING - [0:0]
:cali-PREROUTING - [0:0]
:cali-from-host-endpoint - [0:0]
:cali-to-host-endpoint - [0:0]
-A PREROUTING -m comment --comment "cali:6gwbT8clXdHdC1b1" -j cali-PREROUTING
-A POSTROUTING -m comment --comment "cali:O3lYWMrLQYEMJtB5" -j cali-POSTROUTING
-A cali-POSTROUTING -m comment --comment "cali:1WgtjAfJCJjJWIaA" -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-POSTROUTING -m comment --comment "cali:DcztbowQPM-iqCbs" -j MARK --set-xmark 0x0/0x1b0000
-A cali-POSTROUTING -m comment --comment "cali:AEXCAjDAIBe1C_vA" -m conntrack --ctstate DNAT -j cali-to-host-endpoint
-A cali-POSTROUTING -m comment --comment "cali:aG4Xx_W-ySET4xHt" -m comment --comment "Host endpoint policy accepted packet." -m mark --mark 0x10000/0x10000 -j RETURN
-A cali-PREROUTING -m comment --comment "cali:-bVAn1P2W1sipKiR" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A cali-PREROUTING -m comment --comment "cali:rpUySIv5DYdbXbfz" -m mark --mark 0x10000/0x10000 -j ACCEPT
-A cali-PREROUTING -m comment --comment "cali:xfSyjQxGWbFsuTrw" -j cali-from-host-endpoint
-A cali-PREROUTING -m comment --comment "cali:1jDPpL2Ngncj6myz" -m comment --comment "Host endpoint policy accepted packet." -m mark --mark 0x10000/0x10000 -j ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:cali-OUTPUT - [0:0]
:cali-POSTROUTING - [0:0]
:cali-PREROUTING - [0:0]
:cali-fip-dnat - [0:0]
:cali-fip-snat - [0:0]
:cali-nat-outgoing - [0:0]
-A PREROUTING -m comment --comment "cali:6gwbT8clXdHdC1b1" -j cali-PREROUTING
-A OUTPUT -m comment --comment "cali:tVnHkvAo15HuiPy0" -j cali-OUTPUT
-A POSTROUTING -m comment --comment "cali:O3lYWMrLQYEMJtB5" -j cali-POSTROUTING
-A cali-OUTPUT -m comment --comment "cali:qXrO2ZSf1XDzTFmO" -j cali-fip-dnat
-A cali-POSTROUTING -m comment --comment "cali:sBlTsnL-S6v17foy" -j cali-fip-snat
-A cali-POSTROUTING -m comment --comment "cali:uEyWvg8ZRyutIJwZ" -j cali-nat-outgoing
-A cali-PREROUTING -m comment --comment "cali:k4NNP7fI0vixYsKH" -j cali-fip-dnat
-A cali-nat-outgoing -m comment --comment "cali:I0iA2jx683zMoRtF" -m set --match-set cali40masq-ipam-pools src -m set ! --match-set cali40network-ip-pools dst -j MASQUERADE
COMMIT
`;
