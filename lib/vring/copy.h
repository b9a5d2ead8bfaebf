/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Copy functions of the data path. Included by files that are compiled once for each instruction
 * set; they use its widest registers.
 *
 * Thread safety: pure functions.
 */
#ifndef SHUNT_VRING_COPY_H
#define SHUNT_VRING_COPY_H

#include <stdint.h>
#include <string.h>

#include <immintrin.h>

#if defined(__AVX512F__)
#define COPY_WIDTH 64
#define COPY_STEP(to, from)                                                                        \
	_mm512_storeu_si512((void *)(to), _mm512_loadu_si512((const void *)(from)))
#elif defined(__AVX__)
#define COPY_WIDTH 32
#define COPY_STEP(to, from)                                                                        \
	_mm256_storeu_si256((__m256i *)(to), _mm256_loadu_si256((const __m256i *)(from)))
#else
#define COPY_WIDTH 16
#define COPY_STEP(to, from)                                                                        \
	_mm_storeu_si128((__m128i *)(to), _mm_loadu_si128((const __m128i *)(from)))
#endif

#if defined(__AVX512BW__)
/** Mask of the first n of 64 bytes, of all for n above 64; n below 256. */
static inline __mmask64
copy_mask(uint32_t n)
{
	return _cvtu64_mask64(_bzhi_u64(UINT64_MAX, n));
}

/** Copy up to COPY_WIDTH bytes. */
static inline void
copy_short(uint8_t *to, const uint8_t *from, uint32_t n)
{
	_mm512_mask_storeu_epi8(to, copy_mask(n), _mm512_maskz_loadu_epi8(copy_mask(n), from));
}
#else
/** Copy fewer than COPY_WIDTH bytes. */
static inline void
copy_short(uint8_t *to, const uint8_t *from, uint32_t n)
{
	if (n >= 32) {
		for (uint32_t i = 0; i + 16 <= n; i += 16)
			_mm_storeu_si128(
				(__m128i *)(to + i), _mm_loadu_si128((const __m128i *)(from + i)));
		_mm_storeu_si128((__m128i *)(to + n - 16),
			_mm_loadu_si128((const __m128i *)(from + n - 16)));
	} else if (n >= 16) {
		__m128i first = _mm_loadu_si128((const __m128i *)from);
		__m128i last = _mm_loadu_si128((const __m128i *)(from + n - 16));
		_mm_storeu_si128((__m128i *)to, first);
		_mm_storeu_si128((__m128i *)(to + n - 16), last);
	} else if (n >= 8) {
		uint64_t first, last;
		memcpy(&first, from, 8);
		memcpy(&last, from + n - 8, 8);
		memcpy(to, &first, 8);
		memcpy(to + n - 8, &last, 8);
	} else {
		for (uint32_t i = 0; i < n; i++)
			to[i] = from[i];
	}
}
#endif

/** Copy n bytes; the ranges do not overlap. */
static inline void
copy_bytes(uint8_t *to, const uint8_t *from, uint32_t n)
{
	if (n < COPY_WIDTH) {
		copy_short(to, from, n);
		return;
	}
	uint32_t i = 0;
	for (; i + 4 * COPY_WIDTH <= n; i += 4 * COPY_WIDTH) {
		COPY_STEP(to + i, from + i);
		COPY_STEP(to + i + COPY_WIDTH, from + i + COPY_WIDTH);
		COPY_STEP(to + i + 2 * COPY_WIDTH, from + i + 2 * COPY_WIDTH);
		COPY_STEP(to + i + 3 * COPY_WIDTH, from + i + 3 * COPY_WIDTH);
	}
	for (; i + COPY_WIDTH <= n; i += COPY_WIDTH)
		COPY_STEP(to + i, from + i);
	/* The tail overlaps bytes already copied. */
	if (i < n)
		COPY_STEP(to + n - COPY_WIDTH, from + n - COPY_WIDTH);
}

enum { COPY_HEAD = 128, COPY_HEADER = 12 };

/**
 * Copy n bytes, COPY_HEAD at most, to memory that is read again at once. `to` has space for at
 * least 64 bytes, all of which may be written.
 */
static inline void
copy_head(uint8_t *to, const uint8_t *from, uint32_t n)
{
#if defined(__AVX512BW__)
	/* Store forwarding works from full stores, not from masked ones. */
	_mm512_storeu_si512(to, _mm512_maskz_loadu_epi8(copy_mask(n), from));
	if (n > 64)
		copy_short(to + 64, from + 64, n - 64);
#else
	copy_bytes(to, from, n);
#endif
}

/**
 * Copy a header of COPY_HEADER bytes and then the first n bytes of a frame, with as few stores as
 * possible.
 *
 * @param header 16 bytes are readable
 * @param n COPY_HEAD - COPY_HEADER at most
 */
static inline void
copy_with_header(uint8_t *to, const void *header, const uint8_t *from, uint32_t n)
{
#if defined(__AVX512BW__)
	__m512i first = _mm512_zextsi128_si512(_mm_loadu_si128(header));
	uint64_t all = _bzhi_u64(UINT64_MAX, n + COPY_HEADER);
	uint64_t frame = all & (UINT64_MAX << COPY_HEADER);

	first = _mm512_mask_loadu_epi8(first, _cvtu64_mask64(frame), from - COPY_HEADER);
	_mm512_mask_storeu_epi8(to, _cvtu64_mask64(all), first);
	if (n > 64 - COPY_HEADER)
		copy_short(to + 64, from + 64 - COPY_HEADER, n - (64 - COPY_HEADER));
#else
	memcpy(to, header, COPY_HEADER);
	copy_bytes(to + COPY_HEADER, from, n);
#endif
}

#endif
