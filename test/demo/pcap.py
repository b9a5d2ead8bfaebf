#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Frames from two capture files through the switch: no guests, no hugepages, two CPUs.

PCAP=FILE takes another capture: its stations are distributed over the two ports.
"""

import contextlib
import os
import pathlib
import struct
from collections import Counter

from stage import elapsed, run, say, show, summary

import twoport
import proc
from switch import Switch

ETHERNET = 1
LEADS = (100_000, 400_000, 1_600_000)


class TooSlow(Exception):
    """The lead-in ended before both ports were up."""


def load_scapy():
    """scapy's parts, imported late: it takes a second."""
    try:
        import scapy.all as scapy
    except ImportError:
        raise RuntimeError('missing package; as root: apt-get install python3-scapy') from None
    return scapy


def conversation(scapy):
    """[frames of port p0, frames of port p1]: alice and carol on p0, bob on p1."""
    alice, carol, bob = '02:00:00:00:00:0a', '02:00:00:00:00:0c', '02:00:00:00:00:0b'
    everybody = 'ff:ff:ff:ff:ff:ff'
    ether, ip, tcp, arp = scapy.Ether, scapy.IP, scapy.TCP, scapy.ARP
    there = ether(src=alice, dst=bob) / ip(src='10.0.0.1', dst='10.0.0.2')
    back = ether(src=bob, dst=alice) / ip(src='10.0.0.2', dst='10.0.0.1')
    ask = {'op': 'who-has', 'hwsrc': alice, 'psrc': '10.0.0.1', 'pdst': '10.0.0.2'}
    tell = {'op': 'is-at', 'hwsrc': bob, 'psrc': '10.0.0.2', 'hwdst': alice, 'pdst': '10.0.0.1'}
    left = [ether(src=carol, dst=everybody) / arp(hwsrc=carol, psrc='10.0.0.3', pdst='10.0.0.3'),
            ether(src=alice, dst=everybody) / arp(**ask)]
    right = [ether(src=bob, dst=alice) / arp(**tell)]
    for number in range(1, 5):
        left.append(there / scapy.ICMP(type='echo-request', seq=number) / (b'ping' * 14))
        right.append(back / scapy.ICMP(type='echo-reply', seq=number) / (b'ping' * 14))
    left += [there / tcp(sport=4000, dport=80, flags='S', seq=1),
             there / tcp(sport=4000, dport=80, flags='PA', seq=2, ack=2) / b'GET /\r\n\r\n']
    right.append(back / tcp(sport=80, dport=4000, flags='SA', seq=1, ack=2))
    for number in range(100):
        right.append(back / tcp(sport=80, dport=4000, flags='A', seq=2 + number * 1460, ack=20)
                     / (b'%1460d' % number))
        left.append(there / tcp(sport=4000, dport=80, flags='A', seq=20, ack=2 + number * 1460))
    tagged = ether(src=alice, dst=bob) / scapy.Dot1Q(vlan=10) / ip(dst='10.0.1.2') / scapy.ICMP()
    local = ether(src=alice, dst=carol) / ip(src='10.0.0.1', dst='10.0.0.3') / scapy.ICMP()
    left += [tagged, local]    # local: carol is on the same port, so it must not leave
    return [[bytes(frame) for frame in side] for side in (left, right)]


def read_pcap(scapy, path):
    """The frames of a capture, as bytes."""
    with contextlib.closing(scapy.RawPcapReader(str(path))) as reader:
        if getattr(reader, 'linktype', ETHERNET) != ETHERNET:
            raise RuntimeError(f'{path}: not a capture of Ethernet')
        return [packet[0] for packet in reader]


def write_pcap(path, frames, lead):
    """A capture of the frames after a lead-in: LLDP, which a bridge does not forward."""
    def record(frame):
        return struct.pack('<IIII', 0, 0, len(frame), len(frame)) + frame

    lldp = bytes.fromhex('0180c200000e 0200000000fe 88cc 0000').ljust(60, b'\0')
    with open(path, 'wb') as file:
        file.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, ETHERNET))
        file.write(record(lldp) * lead)
        file.writelines(map(record, frames))


def enable(switch, lead):
    """Have both ports read at the same time, so that no frame is received before the other port is
    up. That holds if the lead-in of neither has ended when the second one is up."""
    for name in ('p0', 'p1'):
        switch.rpc('port.set', {'name': name, 'enabled': 'on'})
    if any(port['rx_packets'] >= lead for port in switch.rpc('port.list')):
        raise TooSlow


def received(switch):
    return sum(port['rx_packets'] for port in switch.rpc('port.list'))


def pass_through(frames, folder, lead):
    """Send the frames of both sides through a switch; its outputs are in folder."""
    for number, side in enumerate(frames):
        write_pcap(folder / f'in{number}.pcap', side, lead)
    with Switch() as switch:
        for number in (0, 1):
            device = (f'net_pcap{number},rx_pcap={folder}/in{number}.pcap,'
                      f'tx_pcap={folder}/out{number}.pcap')
            switch.port_add(f'p{number}', 'ethdev', device=device, enabled='off')
        say('shuntd runs with two ports; both start to read now')
        enable(switch, lead)
        expected = 2 * lead + sum(map(len, frames))
        proc.wait_until(lambda: received(switch) >= expected, 30, 'reading of both captures')
        say(f'all {expected:,} frames switched, {2 * lead:,} of them an LLDP lead-in')
        for command in ('port', 'fdb'):
            show(switch, command, 'list')


def kinds(scapy, frames):
    """'2 ARP, 5 ICMP, 103 TCP'."""
    names = Counter()
    for frame in frames:
        packet = scapy.Ether(frame)
        known = [name for name in ('ARP', 'ICMP', 'TCP', 'UDP', 'IP', 'IPv6') if name in packet]
        tag = ' in a VLAN' if 'Dot1Q' in packet else ''
        names[(known[0] if known else 'other') + tag] += 1
    return ', '.join(f'{count} {name}' for name, count in names.items()) or 'nothing'


def judge(scapy, frames, outputs):
    """(rows for the summary, errors) of both directions."""
    rows, errors = [], []
    for number, side in enumerate(frames):
        other = 1 - number
        kept, wrong = twoport.compare(side, outputs[other])
        rows.append((f'into p{number}', f'{len(side)} frames: {kinds(scapy, side)}'))
        rows.append((f'out of p{other}',
                     f'{len(outputs[other])} frames: {kinds(scapy, outputs[other])}'))
        if kept:
            reasons = Counter(said.reason for said in kept)
            rows.append(('  kept', ', '.join(f'{n} {why}' for why, n in reasons.items())))
        errors += [f'p{number} to p{other}: {error}' for error in wrong[:5]]
    return rows, errors


def attempt(frames, folder):
    """Pass the frames, with a longer lead-in if the machine is too slow for a short one."""
    for lead in LEADS:
        try:
            return pass_through(frames, folder, lead)
        except TooSlow:
            say('the machine is busy: again, with a longer lead-in')
    raise RuntimeError('the ports did not come up together; try on a machine less busy')


def main():
    scapy = load_scapy()
    source = os.environ.get('PCAP')
    frames = twoport.sides(read_pcap(scapy, source)) if source else conversation(scapy)
    say(f"{source or 'a conversation of three stations'}: {len(frames[0])} frames for port p0, "
        f'{len(frames[1])} for p1')
    folder = pathlib.Path(proc.temp_dir('shunt-pcap-'))
    attempt(frames, folder)
    outputs = [read_pcap(scapy, folder / f'out{number}.pcap') for number in (0, 1)]
    rows, errors = judge(scapy, frames, outputs)
    summary(rows + [('bridge', 'as it must' if not errors else '; '.join(errors)),
                    ('time', f'{elapsed():.1f} s')])
    if errors:
        raise RuntimeError('the switch did not do what a learning bridge must')


if __name__ == '__main__':
    run(main)
