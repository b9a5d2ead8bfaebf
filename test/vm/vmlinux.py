#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""vmlinux.py BZIMAGE OUTPUT: takes the ELF kernel out of a bzImage, as QEMU boots it through PVH.

Under emulation this saves the guest the decompression: a sixth of a boot and half of a reboot.
Exit status 1 when the kernel is not compressed with LZ4: boot the bzImage then.
Layout: Documentation/arch/x86/boot.rst (the payload), LZ4 "legacy frame" (its blocks).
"""

import ctypes
import struct
import sys

LZ4_LEGACY_MAGIC = b'\x02\x21\x4c\x18'
BLOCK_SIZE = 8 << 20    # of a decompressed block


def payload(image):
    """The compressed kernel within a bzImage, without the size that follows it."""
    sectors = image[0x1f1] or 4
    offset, length = struct.unpack_from('<II', image, 0x248)
    start = (sectors + 1) * 512 + offset
    return image[start:start + length - 4]


def decompress(data):
    """The content of an LZ4 legacy frame; liblz4 is installed with apt."""
    lz4 = ctypes.CDLL('liblz4.so.1')
    block = ctypes.create_string_buffer(BLOCK_SIZE)
    position, content = 4, b''
    while position < len(data):
        size, = struct.unpack_from('<I', data, position)
        position += 4
        count = lz4.LZ4_decompress_safe(data[position:position + size], block, size, BLOCK_SIZE)
        if count < 0:
            sys.exit('vmlinux.py: damaged LZ4 block')
        content += block.raw[:count]
        position += size
    return content


def main():
    with open(sys.argv[1], 'rb') as file:
        data = payload(file.read())
    if not data.startswith(LZ4_LEGACY_MAGIC):
        sys.exit('vmlinux.py: not an LZ4 kernel')
    with open(sys.argv[2], 'wb') as file:
        file.write(decompress(data))


if __name__ == '__main__':
    main()
