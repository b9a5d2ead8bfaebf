# SPDX-License-Identifier: BSD-3-Clause
"""Traffic between two hosts (guests, namespaces): ping, iperf3, files."""

import json
import re
import time
from collections import namedtuple

Ping = namedtuple('Ping', 'sent received avg_ms')
Iperf = namedtuple('Iperf', 'gbps bytes retransmits')

WEB_PORT = 8000
IPERF_PORT = 5201


def ping(host, address, count=100, interval=0.01, size=56, timeout=None):
    """Ping from a host; lost packets are no error here: see .received."""
    seconds = timeout or count * interval + 10
    _, text = host.call(f'busybox ping -q -c {count} -i {interval} -s {size} -W 2 {address}',
                        seconds)
    counts = re.search(r'(\d+) packets transmitted, (\d+) packets received', text)
    if not counts:
        raise RuntimeError(f'{host.name}: ping {address} said:\n{text}')
    average = re.search(r'= [\d.]+/([\d.]+)/', text)
    return Ping(int(counts[1]), int(counts[2]), float(average[1]) if average else None)


def wait_ping(host, address, timeout=20):
    """Seconds until a ping was answered."""
    start = time.monotonic()
    while not ping(host, address, count=1).received:
        if time.monotonic() - start > timeout:
            raise TimeoutError(f'{host.name}: no answer from {address} within {timeout} s')
    return time.monotonic() - start


def wait_listening(host, port, timeout=10):
    host.run(f'until busybox netstat -ltn | grep -q ":{port} "; do busybox usleep 50000; done',
             timeout)


def iperf(client, server, seconds=5, options=''):
    """iperf3 from client to server; options such as -R, -u -b 50M, -P 2."""
    job = server.spawn(f'iperf3 -s -1 -p {IPERF_PORT}')
    try:
        wait_listening(server, IPERF_PORT)
        text = client.run(f'iperf3 -J -c {server.address} -p {IPERF_PORT} -t {seconds} {options}',
                          seconds + 30)
        job.wait(10)
    finally:
        job.kill()
    return parse_iperf(text)


def parse_iperf(text):
    """The report of an iperf3 -J client."""
    end = json.loads(text)['end']
    total = end.get('sum_received') or end['sum']
    return Iperf(total['bits_per_second'] / 1e9, total['bytes'],
                 end.get('sum_sent', {}).get('retransmits', 0))


def make_file(host, megabytes, name='random'):
    """Create a file of random bytes; its sha256."""
    host.run(f'busybox dd if=/dev/urandom of={host.tmp}/{name} bs=1M '
             f'count={megabytes} 2>/dev/null', 60)
    return host.run(f'sha256sum <{host.tmp}/{name}', 60).split()[0]


def transfer(source, sink, megabytes=64, timeout=120):
    """Send a file of random bytes over HTTP and compare its sha256; the duration in seconds."""
    expected = make_file(source, megabytes)
    server = source.spawn(f'exec busybox httpd -f -p {WEB_PORT} -h {source.tmp}')
    try:
        wait_listening(source, WEB_PORT)
        start = time.monotonic()
        url = f'http://{source.address}:{WEB_PORT}/random'
        sums = sink.run(f'busybox wget -q -O - {url} | sha256sum', timeout).split()
        seconds = time.monotonic() - start
    finally:
        server.kill()
        source.run(f'rm -f {source.tmp}/random')
    assert sums and sums[0] == expected, f'{source.name} sent {expected}, {sink.name} got {sums}'
    return seconds
