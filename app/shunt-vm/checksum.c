/* SPDX-License-Identifier: BSD-3-Clause */
/* CRC-32C and Internet checksum. */
#include "checksum.h"

#include <string.h>
#include <x86intrin.h>

#define CRC32C_POLYNOMIAL 0x82f63b78U

uint32_t
checksum_crc32c_plain(uint32_t crc, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	crc = ~crc;
	while (length-- > 0) {
		crc ^= *at++;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (CRC32C_POLYNOMIAL & -(crc & 1));
	}
	return ~crc;
}

/** checksum_crc32c() by the instructions of SSE 4.2. */
__attribute__((target("sse4.2"))) static uint32_t
checksum_crc32c_sse(uint32_t crc, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint64_t state = ~crc, word;

	for (; length >= sizeof(word); length -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		state = _mm_crc32_u64(state, word);
	}
	while (length-- > 0)
		state = _mm_crc32_u8((uint32_t)state, *at++);
	return ~(uint32_t)state;
}

uint32_t
checksum_crc32c(uint32_t crc, const void *bytes, size_t length)
{
	return __builtin_cpu_supports("sse4.2") ? checksum_crc32c_sse(crc, bytes, length)
						: checksum_crc32c_plain(crc, bytes, length);
}

uint32_t
checksum_add(uint32_t sum, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;

	for (; length >= 2; length -= 2, at += 2)
		sum += (uint32_t)at[0] << 8 | at[1];
	if (length > 0)
		sum += (uint32_t)at[0] << 8;
	return sum;
}

uint16_t
checksum_fold(uint32_t sum)
{
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}
