/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checksums: CRC-32C over what a frame carries (with SSE 4.2 where the processor has it) and the
 * Internet checksum of RFC 1071.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_VM_CRC_H
#define SHUNT_VM_CRC_H

#include <stddef.h>
#include <stdint.h>

/** CRC-32C (Castagnoli) of some bytes; crc is the result so far, 0 at the start. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t length);

/** The same, bit by bit, on any processor. */
uint32_t crc32c_plain(uint32_t crc, const void *bytes, size_t length);

/** One's complement sum of big-endian 16-bit words, not folded; sum is the result so far. */
uint32_t internet_sum(uint32_t sum, const void *bytes, size_t length);

/** Fold a sum. @return the checksum (its complement), in host order */
uint16_t internet_fold(uint32_t sum);

#endif
