# SPDX-License-Identifier: BSD-3-Clause
"""Multicast: frames of hosts and routers made by scapy, and hosts that are sockets of the kernel.
"""

import contextlib
import itertools
import socket
import struct

from scapy.contrib.igmp import IGMP
from scapy.contrib.igmpv3 import IGMPv3, IGMPv3gr, IGMPv3mq, IGMPv3mr
from scapy.layers.inet import IP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import (ICMPv6MLDMultAddrRec, ICMPv6MLDone, ICMPv6MLQuery, ICMPv6MLQuery2,
                                ICMPv6MLReport, ICMPv6MLReport2, IPv6, IPv6ExtHdrHopByHop,
                                RouterAlert)
from scapy.layers.l2 import Dot1Q, Ether

from wire import inside

IS_IN, IS_EX, TO_IN, TO_EX, ALLOW, BLOCK = range(1, 7)
_numbers = itertools.count(1)


def group_mac(group):
    """The MAC address of frames to a group."""
    if ':' in group:
        return '33:33:' + ':'.join(f'{byte:02x}' for byte in
                                   socket.inet_pton(socket.AF_INET6, group)[-4:])
    high, mid, low = socket.inet_aton(group)[1:]
    return f'01:00:5e:{high & 0x7f:02x}:{mid:02x}:{low:02x}'


def _ether(source_mac, group, vlan):
    head = Ether(src=source_mac, dst=group_mac(group))
    return head / Dot1Q(vlan=vlan) if vlan else head


def _igmp(message, mac, source, to, vlan):
    packet = IP(src=source, dst=to, ttl=1, options=[IPOption_Router_Alert()])
    return bytes(_ether(mac, to, vlan) / packet / message)


def _mld(message, mac, source, to, vlan):
    packet = IPv6(src=source, dst=to, hlim=1) / IPv6ExtHdrHopByHop(options=[RouterAlert()])
    return bytes(_ether(mac, to, vlan) / packet / message)


def igmp_query(mac, version=3, source='10.9.0.1', group='0.0.0.0', vlan=0):
    """An IGMP query with a maximum response time of 0.1 s."""
    to = '224.0.0.1' if group == '0.0.0.0' else group
    if version == 3:
        message = IGMPv3(type=0x11, mrcode=1) / IGMPv3mq(gaddr=group)
    else:
        message = IGMP(type=0x11, mrcode=1 if version == 2 else 0, gaddr=group)
    return _igmp(message, mac, source, to, vlan)


def igmp_report(mac, group, version=2, source='10.9.0.9', vlan=0):
    """A report of IGMPv1 or IGMPv2."""
    message = IGMP(type={1: 0x12, 2: 0x16}[version], mrcode=0, gaddr=group)
    return _igmp(message, mac, source, group, vlan)


def igmp_leave(mac, group, source='10.9.0.9', vlan=0):
    """A leave of IGMPv2."""
    return _igmp(IGMP(type=0x17, mrcode=0, gaddr=group), mac, source, '224.0.0.2', vlan)


def igmp_report3(mac, *records, source='10.9.0.9', vlan=0):
    """A report of IGMPv3: records are (type, group, [source])."""
    rows = [IGMPv3gr(rtype=kind, maddr=group, srcaddrs=list(sources))
            for kind, group, sources in records]
    return _igmp(IGMPv3(type=0x22) / IGMPv3mr(records=rows), mac, source, '224.0.0.22', vlan)


def mld_query(mac, version=2, source='fe80::1', group='::', vlan=0):
    """An MLD query with a maximum response delay of 0.1 s."""
    kind = ICMPv6MLQuery2 if version == 2 else ICMPv6MLQuery
    to = 'ff02::1' if group == '::' else group
    return _mld(kind(mladdr=group, mrd=100), mac, source, to, vlan)


def mld_report(mac, group, source='fe80::9', vlan=0):
    """A report of MLDv1."""
    return _mld(ICMPv6MLReport(mladdr=group), mac, source, group, vlan)


def mld_done(mac, group, source='fe80::9', vlan=0):
    """A done of MLDv1."""
    return _mld(ICMPv6MLDone(mladdr=group), mac, source, 'ff02::2', vlan)


def mld_report2(mac, *records, source='fe80::9', vlan=0):
    """A report of MLDv2: records are (type, group, [source])."""
    rows = [ICMPv6MLDMultAddrRec(rtype=kind, dst=group, sources=list(sources))
            for kind, group, sources in records]
    return _mld(ICMPv6MLReport2(records=rows), mac, source, 'ff02::16', vlan)


def data(mac, group, vlan=0):
    """A datagram to a group that is unique."""
    packet = IPv6(src='fe80::7', dst=group) if ':' in group else IP(src='10.9.0.7', dst=group)
    return bytes(_ether(mac, group, vlan) / packet / UDP(sport=5000, dport=5000)
                 / struct.pack('!Q', next(_numbers)))


@contextlib.contextmanager
def joined(namespace, ifname, group):
    """The kernel of a namespace is a member of a group at an interface during the block."""
    v6 = ':' in group
    with inside(namespace):
        index = socket.if_nametoindex(ifname)
        sock = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
    with sock:
        if v6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                            socket.inet_pton(socket.AF_INET6, group) + struct.pack('=I', index))
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                            socket.inet_aton(group) + bytes(4) + struct.pack('=i', index))
        yield sock
