/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checksums: CRC-32C (with SSE 4.2 where the CPU has it) and the Internet checksum of RFC 1071.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_VM_CHECKSUM_H
#define SHUNT_VM_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/** CRC-32C (Castagnoli). crc is the result for the preceding bytes, 0 at the start. */
uint32_t checksum_crc32c(uint32_t crc, const void *bytes, size_t length);

/** As checksum_crc32c(), bit by bit, on any CPU. */
uint32_t checksum_crc32c_plain(uint32_t crc, const void *bytes, size_t length);

/**
 * One's complement sum of big-endian 16-bit words, not folded. sum is the result for the preceding
 * bytes, 0 at the start.
 */
uint32_t checksum_add(uint32_t sum, const void *bytes, size_t length);

/** Fold a sum. @return its complement, the checksum, in host byte order */
uint16_t checksum_fold(uint32_t sum);

#endif
