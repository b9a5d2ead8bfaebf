# SPDX-License-Identifier: BSD-3-Clause
"""A vhost-user front end of which a test controls every byte: rings in a memfd.

    with FrontEnd(path) as vm:            # negotiated, rings running, buffers to receive posted
        vm.send(frame)                    # one descriptor, header first
        vm.wait_frames(1)                 # the frames received, without header
    vm.tx.desc(0, 0, 60)                  # anything else: descriptors, heads, messages by hand
"""

import array
import contextlib
import mmap
import os
import socket
import struct

from proc import wait_until

# Requests of the vhost-user protocol
(GET_FEATURES, SET_FEATURES, SET_OWNER, RESET_OWNER, SET_MEM_TABLE, SET_LOG_BASE) = range(1, 7)
(SET_VRING_NUM, SET_VRING_ADDR, SET_VRING_BASE, GET_VRING_BASE) = range(8, 12)
(SET_VRING_KICK, SET_VRING_CALL, SET_VRING_ERR) = range(12, 15)
(GET_PROTOCOL, SET_PROTOCOL, GET_QUEUE_NUM, SET_VRING_ENABLE, SEND_RARP) = range(15, 20)
ADD_MEM_REG, REM_MEM_REG = 37, 38

# Feature bits of virtio 1.2 sections 5.1.3 and 6, and of vhost
CSUM, GUEST_CSUM, GUEST_TSO4, HOST_TSO4 = 1 << 0, 1 << 1, 1 << 7, 1 << 11
MTU, CTRL_VQ, CTRL_RX, ANNOUNCE = 1 << 3, 1 << 17, 1 << 18, 1 << 21
MRG_RXBUF, MQ, LOG_ALL, INDIRECT, EVENT_IDX = 1 << 15, 1 << 22, 1 << 26, 1 << 28, 1 << 29
PROTOCOL, VERSION_1, RING_PACKED = 1 << 30, 1 << 32, 1 << 34
PROTOCOL_MQ, LOG_SHMFD, RARP, REPLY_ACK = 1 << 0, 1 << 1, 1 << 2, 1 << 3
CONFIGURE_MEM_SLOTS = 1 << 15

NEXT, WRITE, IN_TABLE = 1, 2, 4    # descriptor flags
AVAIL, USED = 1 << 7, 1 << 15      # the same, of packed rings
WRAP = 1 << 15                     # wrap counter of a position in a packed ring, 1 at the start
MB = 1 << 20
LOW = 0x10000000             # GPA of the first byte
FRONT = 0x7f0000000000       # the same as a UVA
RING_OFFSET, BUFFERS = 64 << 10, 1 * MB    # offset between rings, and the offset of the buffers
BUFFER_LEN = 2048            # length of a buffer


class Refused(Exception):
    """The back end answered a request with an error."""


class Ring:
    """The driver's side of a split ring. number as in virtio: even ones receive."""

    def __init__(self, vm, number, size, first=0):
        self.vm, self.number, self.size = vm, number, size
        self.at = number * RING_OFFSET
        self.avail_at, self.used_at = self.at + 16 * size, self.at + 32 * size
        self.next = self.seen = first    # indexes: next available, next used entry to read
        self.head = 0
        self.call = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.kick = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        vm.store(self.avail_at + 2, first)
        vm.store(self.used_at + 2, first)

    def desc(self, index, address, length, flags=0, following=0):
        """Write a descriptor."""
        self.vm.poke('<QIHH', self.at + 16 * index, address, length, flags, following)

    def offer(self, *heads):
        """Make heads available."""
        for head in heads:
            self.vm.store(self.avail_at + 4 + 2 * (self.next % self.size), head)
            self.next = self.next + 1 & 0xffff
        self.jump(0)

    def jump(self, entries):
        """Increase the available index by more than the entries written."""
        self.vm.store(self.avail_at + 2, self.next + entries & 0xffff)

    def chain(self, *parts, flags=0):
        """Make one chain of (address, length) or (address, length, flags) available; its head."""
        first = self.head
        for number, part in enumerate(parts):
            more = NEXT if number + 1 < len(parts) else 0
            following = (self.head + 1) % self.size
            self.desc(self.head, *part[:2], flags | more | (part[2] if len(part) > 2 else 0),
                      following)
            self.head = following
        self.offer(first)
        return first

    def used(self):
        """The number of chains returned since the last take()."""
        return self.vm.load(self.used_at + 2) - self.seen & 0xffff

    def take(self):
        """[(head, length)] of the chains returned."""
        taken = []
        for _ in range(self.used()):
            taken.append(self.vm.peek('<II', self.used_at + 4 + 8 * (self.seen % self.size)))
            self.seen = self.seen + 1 & 0xffff
        return taken

    def set_event(self, index):
        """used_event: the index of the used entry that causes an interrupt."""
        self.vm.store(self.avail_at + 4 + 2 * self.size, index & 0xffff)

    def address(self, head):
        """The address of the first buffer of a chain."""
        return self.vm.peek('<Q', self.at + 16 * head)[0]

    def restored(self):
        """The position that QEMU gives after the end of its back end."""
        return self.vm.load(self.used_at + 2)

    def calls(self):
        """Interrupts since the last call."""
        try:
            return os.eventfd_read(self.call)
        except BlockingIOError:
            return 0

    def wait_used(self, chains):
        wait_until(lambda: self.used() >= chains, 20, f'{chains} chains of ring {self.number}')

    def close(self):
        os.close(self.call)
        os.close(self.kick)


class PackedRing(Ring):
    """The driver's side of a packed ring. Chains are identified by their buffer ids, which ascend;
    `next` and `seen` count descriptors since the first round."""

    def __init__(self, vm, number, size, first=0):
        super().__init__(vm, number, size, 0)
        vm.memory[self.at:self.at + 32 * size + 4] = bytes(32 * size + 4)
        self.chains = {}
        self.dropped = 0    # the ring's position as QEMU assumes it, counted like `next`

    def owner(self, count, used=False):
        """The flags AVAIL and USED of a descriptor counted since the first round."""
        first = count // self.size % 2 == 0
        if used:
            return AVAIL | USED if first else 0
        return AVAIL if first else USED

    def chain(self, *parts, flags=0):
        """Make one chain available, the flags of its first descriptor last; its id."""
        name = self.head
        self.head = (self.head + 1) % self.size
        self.chains[name] = parts, flags
        return self.offer(name)

    def offer(self, name):
        """Make a returned chain available again."""
        parts, flags = self.chains[name]
        for number in reversed(range(len(parts))):
            count = self.next + number
            at = self.at + 16 * (count % self.size)
            more = NEXT if number + 1 < len(parts) else 0
            mine = flags | more | (parts[number][2] if len(parts[number]) > 2 else 0)
            self.vm.poke('<QIH', at, *parts[number][:2], name)
            self.vm.store(at + 14, mine | self.owner(count))
        self.next += len(parts)
        return name

    def _used_at(self, count):
        at = self.at + 16 * (count % self.size)
        if self.vm.load(at + 14) & (AVAIL | USED) != self.owner(count, used=True):
            return None
        return at

    def used(self):
        """The number of chains returned since the last take()."""
        found, count = 0, self.seen
        while count < self.next and (at := self._used_at(count)) is not None:
            count += len(self.chains[self.vm.load(at + 12)][0])
            found += 1
        return found

    def take(self):
        """[(id, length)] of the chains returned."""
        taken = []
        while self.seen < self.next and (at := self._used_at(self.seen)) is not None:
            length, name = self.vm.peek('<IH', at + 8)
            taken.append((name, length))
            self.seen += len(self.chains[name][0])
        return taken

    def address(self, head):
        return self.chains[head][0][0][0]

    def restored(self):
        """QEMU cannot read the position of a packed ring: it gives the one that it gave before. In
        a transmit ring it has dropped the available frames, and gives the position behind them."""
        while self.number % 2:
            at = self.at + 16 * (self.dropped % self.size)
            if self.vm.load(at + 14) & (AVAIL | USED) != self.owner(self.dropped):
                break
            name = self.vm.load(at + 12)
            self.vm.poke('<IH', at + 8, 0, name)
            self.vm.store(at + 14, self.owner(self.dropped, used=True))
            self.dropped += len(self.chains[name][0])
        return self.place(self.dropped) * 0x10001

    def place(self, count):
        """A position with its wrap counter."""
        return count % self.size | (WRAP if count // self.size % 2 == 0 else 0)


class FrontEnd:
    """regions: sizes in bytes, adjacent in GPA, all in one memfd. wanted: features. owner_first:
    SET_OWNER is the first message, as without a device model; protocol: its features."""

    def __init__(self, path, pairs=1, size=256, regions=(4 * MB,), wanted=0, huge=False, first=0,
                 header=12, owner_first=False, protocol=None):
        self.path, self.pairs, self.size, self.regions = str(path), pairs, size, list(regions)
        self.wanted, self.first, self.header = wanted | VERSION_1 | PROTOCOL, first, header
        self.owner_first = owner_first
        self.protocol = PROTOCOL_MQ | LOG_SHMFD | RARP | REPLY_ACK if protocol is None else protocol
        flags = os.MFD_HUGETLB if huge else 0
        self.fd = os.memfd_create('front end', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING | flags)
        os.ftruncate(self.fd, sum(self.regions))
        self.memory = mmap.mmap(self.fd, sum(self.regions))
        self.words = memoryview(self.memory).cast('H')
        self.sock = None
        self.rings = []
        self.post = 0    # receive buffers kept posted, counted from the start of the buffers
        self.got = []

    # Memory, by offset into the memfd or by guest address

    def poke(self, form, at, *values):
        struct.pack_into(form, self.memory, at, *values)

    def peek(self, form, at):
        return struct.unpack_from(form, self.memory, at)

    def store(self, at, word):
        """Write 16 bits in one store, as drivers do. struct.pack_into() writes zeros first, and a
        polling back end would sometimes read that index."""
        self.words[at // 2] = word

    def load(self, at):
        """Read 16 bits in one load."""
        return self.words[at // 2]

    def write(self, address, data):
        self.memory[address - LOW:address - LOW + len(data)] = data

    def read(self, address, length):
        return self.memory[address - LOW:address - LOW + length]

    @property
    def end(self):
        """The first GPA behind all memory."""
        return LOW + sum(self.regions)

    @property
    def rx(self):
        return self.rings[0]

    @property
    def tx(self):
        return self.rings[1]

    # Messages

    def message(self, request, payload=b'', fds=(), flags=1):
        """Send a request with descriptors, valid or not."""
        data = struct.pack('<III', request, flags, len(payload)) + payload
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else []
        self.sock.sendmsg([data], ancillary)

    def answer(self, form):
        """The payload of the next answer."""
        header = self._receive(12)
        size = struct.unpack('<III', header)[2]
        return struct.unpack(form, self._receive(size))

    def _receive(self, length):
        data = self.sock.recv(length, socket.MSG_WAITALL) if length else b''
        if len(data) < length:
            raise Refused('the back end closed the connection')
        return data

    def ask(self, request, payload=b'', form='<Q'):
        self.message(request, payload)
        return self.answer(form)

    def request(self, request, payload=b'', fds=()):
        """Send a request with REPLY_ACK; Refused if the acknowledgement is an error."""
        self.message(request, payload, fds, flags=1 | 8)
        if self.answer('<Q')[0]:
            raise Refused(f'request {request}')

    def state(self, request, ring, number):
        self.request(request, struct.pack('<II', ring, number))

    def set_memory(self, regions=None, fds=None):
        """SET_MEM_TABLE with [(GPA, size, UVA, offset)], by default all regions."""
        regions = self.table() if regions is None else regions
        payload = struct.pack('<II', len(regions), 0)
        payload += b''.join(struct.pack('<QQQQ', *region) for region in regions)
        self.request(SET_MEM_TABLE, payload, [self.fd] * len(regions) if fds is None else fds)

    def table(self):
        """The regions in the form of SET_MEM_TABLE."""
        at, rows = 0, []
        for size in self.regions:
            rows.append((LOW + at, size, FRONT + at, at))
            at += size
        return rows

    def set_address(self, ring, desc=None, flags=0):
        base = FRONT + ring.at if desc is None else desc
        used, avail = ((base + at - ring.at) % 2**64 for at in (ring.used_at, ring.avail_at))
        self.request(SET_VRING_ADDR, struct.pack('<IIQQQQ', ring.number, flags, base, used, avail,
                                                 LOW + ring.used_at))

    def set_call(self, ring, fd):
        self.request(SET_VRING_CALL, struct.pack('<Q', ring.number | (0 if fd >= 0 else 1 << 8)),
                     [fd] if fd >= 0 else ())

    def get_base(self, number):
        """Stop a ring; its base."""
        return self.ask(GET_VRING_BASE, struct.pack('<II', number, 0), '<II')[1]

    def enable(self, number, on=1):
        self.state(SET_VRING_ENABLE, number, on)

    # Life

    def connect(self, timeout=20):
        """Connect and negotiate features."""
        def reached():
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout)
            try:
                self.sock.connect(self.path)
                if self.owner_first:
                    self.message(SET_OWNER)
                return self.ask(GET_FEATURES)
            except (Refused, OSError):    # the last connection may not be closed yet
                self.sock.close()
                return None
        self.offered = wait_until(reached, timeout, f'a connection to {self.path}')[0]
        self.features = self.offered & self.wanted
        self.ask(GET_PROTOCOL)
        self.message(SET_PROTOCOL, struct.pack('<Q', self.protocol))
        if not self.owner_first:
            self.request(SET_OWNER)
        self.request(SET_FEATURES, struct.pack('<Q', self.features))
        return self

    @property
    def packed(self):
        return bool(self.wanted & RING_PACKED)

    def start_ring(self, ring, first):
        self.state(SET_VRING_NUM, ring.number, ring.size)
        self.state(SET_VRING_BASE, ring.number, first)
        self.set_address(ring)
        self.set_call(ring, ring.call)
        self.request(SET_VRING_KICK, struct.pack('<Q', ring.number), [ring.kick])

    def start(self, enable=True):
        """All that a driver sets up, with empty rings."""
        kind = PackedRing if self.packed else Ring
        self.rings = [kind(self, number, self.size, self.first)
                      for number in range(2 * self.pairs)]
        self.set_memory()
        for ring in self.rings:
            self.start_ring(ring, ring.restored())
        for ring in self.rings if enable else ():
            self.enable(ring.number)
        return self

    def resume(self):
        """Connect to a back end that was started again, as QEMU does; the guest keeps running."""
        self.sock.close()
        self.connect()
        self.set_memory()
        for ring in self.rings:
            self.start_ring(ring, ring.restored())
        for ring in self.rings:
            self.enable(ring.number)
        return self

    def reload(self):
        """The guest loads its driver again: the rings begin anew, without receive buffers."""
        for ring in self.rings:
            ring.close()
        self.post, self.got = 0, []
        self.rings = [type(ring)(self, ring.number, ring.size, self.first) for ring in self.rings]

    def close(self):
        if self.sock:
            self.sock.close()
        for ring in self.rings:
            ring.close()
        if self.fd >= 0:
            self.words.release()
            self.memory.close()
            os.close(self.fd)
        self.rings, self.sock, self.fd = [], None, -1

    def __enter__(self):
        try:
            self.connect().start()
            self.give(64)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def forget(self):
        """Guest memory is removed: do not access it, not even when closing."""
        self.rings = [ring for ring in self.rings if ring.close()]

    # Frames

    def slot(self, number):
        """GPA of a buffer of BUFFER_LEN bytes; the first ones are receive buffers."""
        return LOW + BUFFERS + number * BUFFER_LEN

    def give(self, buffers):
        """Post receive buffers; wait_frames() posts them again."""
        for _ in range(buffers):
            self.rx.chain((self.slot(self.post), BUFFER_LEN, WRITE))
            self.post += 1

    def send(self, *frames, header=b''):
        """Send frames, each in one buffer."""
        for one in frames:
            at = self.slot(512 + self.tx.head)
            data = header.ljust(self.header, b'\0') + one
            self.write(at, data)
            self.tx.chain((at, len(data)))

    def collect(self):
        """Take the frames received: (header, frame) of each. Buffers are posted again."""
        for head, length in self.rx.take():
            address = self.rx.address(head)
            data = self.read(address, length)
            self.got.append((data[:self.header], data[self.header:]))
            self.rx.offer(head)
        return self.got

    def collect_merged(self, buffers):
        """The frame, header first, that was received over several buffers."""
        wait_until(lambda: len(self.collect()) >= buffers, 20, f'{buffers} buffers at {self.path}')
        parts, self.got = self.got, []
        return parts[0][0] + parts[0][1] + b''.join(first + rest for first, rest in parts[1:])

    def wait_frames(self, count):
        """The frames received, once there are this many; they are taken."""
        wait_until(lambda: len(self.collect()) >= count, 20, f'{count} frames at {self.path}')
        frames, self.got = [data for _, data in self.got], []
        return frames


@contextlib.contextmanager
def flipping(vm, changes):
    """Another process that keeps writing each (offset, bytes) in rotation during the block."""
    pid = os.fork()
    if pid == 0:
        while True:
            for at, data in changes:
                vm.memory[at:at + len(data)] = data
    try:
        yield
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
