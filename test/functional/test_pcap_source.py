# SPDX-License-Identifier: BSD-3-Clause
"""Captures and interfaces that a device must not use: those without complete Ethernet frames."""

import os
import struct

import pytest

from frames import BROADCAST, frame, mac, read_pcap, write_pcap
from netns import ip
from proc import wait_until
from switch import Switch, SwitchError

A = mac(0x0a)
LINK_TYPES = {'RAW': 101, 'LINUX_SLL': 113, 'LINUX_SLL2': 276, 'NULL': 0, 'IEEE802_11': 105,
              'unknown': 9999}


@pytest.fixture(scope='module')
def switch():
    with Switch() as running:
        yield running


@pytest.fixture(autouse=True)
def no_ports(switch):
    yield
    for port in switch.rpc('port.list'):
        switch.rpc('port.del', {'name': port['name']})


def capture(path, records, link=1, order='<', magic=0xa1b2c3d4):
    """A capture file of (bytes, length on the wire)."""
    with open(path, 'wb') as file:
        file.write(struct.pack(order + 'IHHiIII', magic, 2, 4, 0, 0, 1 << 18, link))
        for number, (data, length) in enumerate(records):
            file.write(struct.pack(order + 'IIII', number, 0, len(data), length) + data)
    return path


def pcapng(path, records, link=1):
    """The same as pcapng: a section, an interface, enhanced packets."""
    def block(kind, body):
        body += bytes(-len(body) % 4)
        size = struct.pack('<I', len(body) + 12)
        return struct.pack('<I', kind) + size + body + size
    with open(path, 'wb') as file:
        file.write(block(0x0a0d0d0a, struct.pack('<IHHq', 0x1a2b3c4d, 1, 0, -1)))
        file.write(block(1, struct.pack('<HHI', link, 0, 0)))
        for data, length in records:
            file.write(block(6, struct.pack('<IIIII', 0, 0, 0, len(data), length) + data))
    return path


def refused(switch, device, *says):
    """A port with this device is refused with one line that gives the reason."""
    done = switch.cli('port', 'add', 'in', 'ethdev', f'device={device}', check=False)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done.stderr
    for part in says:
        assert part in done.stderr
    assert not any(port['name'] == 'in' for port in switch.rpc('port.list'))


def replayed(switch, path, count):
    """The frames of a capture that leave the switch."""
    out = switch.dir / 'out.pcap'
    switch.port_add('out', 'ethdev', device=f'net_pcap_out,tx_pcap={out}')
    switch.port_add('in', 'ethdev', device=f'net_pcap_in,rx_pcap={path}')
    wait_until(lambda: switch.port('in')['rx_packets'] == count, 20, 'frames read')
    switch.rpc('port.del', {'name': 'out'})
    return read_pcap(out)


@pytest.mark.parametrize('write', [capture, pcapng])
@pytest.mark.parametrize('name', LINK_TYPES)
def test_link_types(switch, write, name):
    path = write(switch.dir / 'in.pcap', [(bytes(60), 60)], LINK_TYPES[name])
    refused(switch, f'net_pcap_in,rx_pcap={path}', str(path), 'not Ethernet frames',
            'link type ' + ('' if name == 'unknown' else name))


@pytest.mark.parametrize('write', [capture, pcapng])
def test_cut_short(switch, write):
    """A capture with a small snapshot length is refused."""
    whole = frame(BROADCAST, A, size=100)
    path = write(switch.dir / 'in.pcap', [(whole, 100), (whole, 100), (whole[:96], 100), (whole, 100)])
    refused(switch, f'net_pcap_in,rx_pcap={path}', 'frame 3 is cut short, 96 of 100 bytes')


@pytest.mark.parametrize('kind', ['usual', 'big endian', 'nanoseconds', 'pcapng', 'broken end'])
def test_good_captures(switch, kind):
    """Every kind of file with complete Ethernet frames is accepted."""
    frames = [frame(BROADCAST, A, size=size) for size in (60, 1514, 100)]
    records, path = [(one, len(one)) for one in frames], switch.dir / 'in.pcap'
    if kind == 'pcapng':
        pcapng(path, records)
    else:
        capture(path, records, order='>' if kind == 'big endian' else '<',
                magic=0xa1b23c4d if kind == 'nanoseconds' else 0xa1b2c3d4)
    if kind == 'broken end':    # the writer was killed
        path.write_bytes(path.read_bytes()[:-10])
        frames.pop()
    assert replayed(switch, path, len(frames)) == frames


def test_every_queue(switch):
    """The file of the second queue is checked as well."""
    good = write_pcap(switch.dir / 'good.pcap', [frame(BROADCAST, A)])
    bad = capture(switch.dir / 'bad.pcap', [(bytes(60), 60)], 101)
    refused(switch, f'net_pcap_in,rx_pcap={good},rx_pcap={bad}', str(bad), 'RAW')


@pytest.mark.parametrize('content', [b'', b'no capture', bytes(1000)], ids=len)
def test_no_capture(switch, content):
    path = switch.dir / 'in.pcap'
    path.write_bytes(content)
    refused(switch, f'net_pcap_in,rx_pcap={path}', 'cannot open', str(path))


def test_no_file(switch):
    """A file that could block the switch is not opened."""
    fifo = switch.dir / 'fifo'
    os.mkfifo(fifo)
    refused(switch, f'net_pcap_in,rx_pcap={fifo}', 'cannot open', 'not a regular file')
    refused(switch, f'net_pcap_in,rx_pcap={switch.dir}', 'cannot open')


@pytest.fixture
def tun():
    """An interface without Ethernet headers."""
    name = f'tun{os.getpid()}'
    ip('tuntap', 'add', name, 'mode', 'tun')
    yield name
    ip('link', 'del', name)


@pytest.mark.parametrize('device', [
    'net_pcap_in,iface={}', 'net_pcap_in,rx_iface={}', 'net_pcap_in,rx_iface_in={}',
    'net_pcap_in,tx_iface={}', 'net_af_packet_in,iface={}',
])
@pytest.mark.parametrize('up', [False, True])
def test_interfaces(switch, tun, device, up):
    if up:
        ip('link', 'set', tun, 'up')
    refused(switch, device.format(tun), tun, 'no Ethernet frames', 'IP without Ethernet headers')


def test_any_interface(switch):
    """libpcap's own device for all interfaces at once."""
    refused(switch, 'net_pcap_in,iface=any', "'any' has no Ethernet frames")


def test_file_of_the_configuration(switch, tmp_path):
    """At start and by config apply: nothing is changed."""
    bad = capture(switch.dir / 'bad.pcap', [(bytes(60), 60)], 101)
    file = tmp_path / 'bad.yaml'
    file.write_text(f'ports:\n  in: {{type: ethdev, device: "net_pcap_in,rx_pcap={bad}"}}\n')
    with pytest.raises(SwitchError, match='link type RAW'):
        switch.cli('config', 'apply', str(file))
    assert not switch.rpc('port.list')
