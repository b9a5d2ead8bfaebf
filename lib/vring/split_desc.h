/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads descriptors of a split ring eight at once, if they are chains of one buffer and the driver
 * uses descriptors consecutively. All other descriptors, and all of them without AVX-512, are
 * read one by one by the caller.
 *
 * Thread safety: as vring.h.
 */
#ifndef SHUNT_VRING_SPLIT_DESC_H
#define SHUNT_VRING_SPLIT_DESC_H

#include "vring/copy.h"
#include "vring/split.h"

enum { SPLIT_DESC_AT_ONCE = 8 };

#if defined(__AVX512BW__) && defined(__AVX512VL__)
/** Read eight entries of the available ring, once: asm keeps the compiler from reading again. */
static inline __m128i
split_desc_heads(const uint16_t *from)
{
	__m128i heads = _mm_loadu_si128((const __m128i *)from);

	__asm__ volatile("" : "+x"(heads));
	return heads;
}

/** Read four descriptors the same way. */
static inline __m512i
split_desc_four(const struct vring_desc *from)
{
	__m512i four = _mm512_loadu_si512(from);

	__asm__ volatile("" : "+v"(four));
	return four;
}

/** Translate eight GPAs to HVAs of one region. @return bit mask of buffers within the region */
static inline __mmask8
split_desc_translate(const struct memory_region *region, __m512i addr, __m512i len, uint8_t *data[])
{
	__m512i size = _mm512_set1_epi64((long long)region->size);
	__m512i offset = _mm512_sub_epi64(addr, _mm512_set1_epi64((long long)region->gpa));
	__m512i host = _mm512_set1_epi64((long long)(uintptr_t)region->hva);
	__mmask8 in = _mm512_cmplt_epu64_mask(offset, size);

	_mm512_storeu_si512(data, _mm512_add_epi64(offset, host));
	/* Where `in` is set, size - offset cannot wrap. */
	return _mm512_mask_cmple_epu64_mask(in, len, _mm512_sub_epi64(size, offset));
}

/** split_desc_run() of eight descriptors. @return false: not consecutive, or of another kind */
static inline bool
split_desc_eight(const struct virtq *ring, uint16_t position, uint16_t flags, uint16_t head[],
	uint8_t *data[], uint32_t len[])
{
	const __m128i sequence = _mm_setr_epi16(0, 1, 2, 3, 4, 5, 6, 7);
	const __m512i even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
	const __m512i odd = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
	const __m512i wanted = _mm512_set1_epi64((long long)((uint64_t)flags << 32));
	uint32_t size = (uint32_t)ring->mask + 1, at = position & ring->mask;

	if (at + SPLIT_DESC_AT_ONCE > size)
		return false;
	__m128i heads = split_desc_heads(&ring->avail->ring[at]);
	uint32_t first = (uint16_t)_mm_cvtsi128_si32(heads);
	__m128i expected = _mm_add_epi16(_mm_set1_epi16((short)first), sequence);
	if (first + SPLIT_DESC_AT_ONCE > size || _mm_cmpneq_epi16_mask(heads, expected) != 0)
		return false;
	__m512i low = split_desc_four(&ring->desc[first]),
		high = split_desc_four(&ring->desc[first + 4]);
	__m512i word = _mm512_permutex2var_epi64(low, odd, high);
	__m512i length = _mm512_and_si512(word, _mm512_set1_epi64(UINT32_MAX));
	/* Without NEXT the `next` field has no meaning; it is masked out. */
	__m512i kind = _mm512_and_si512(word, _mm512_set1_epi64(INT64_C(0xffff00000000)));
	__mmask8 good = _mm512_cmpeq_epi64_mask(kind, wanted);
	good &= _mm512_cmpgt_epu64_mask(length, _mm512_set1_epi64(ring->header_len));
	good &= split_desc_translate(&ring->memory->region[ring->hint],
		_mm512_permutex2var_epi64(low, even, high), length, data);
	_mm_storeu_si128((__m128i *)head, heads);
	_mm256_storeu_si256((__m256i *)len, _mm512_cvtepi64_epi32(length));
	return good == UINT8_MAX;
}
#else
/** Without AVX-512: the caller reads every descriptor. */
static inline bool
split_desc_eight(const struct virtq *ring, uint16_t position, uint16_t flags, uint16_t head[],
	uint8_t *data[], uint32_t len[])
{
	(void)ring;
	(void)position;
	(void)flags;
	(void)head;
	(void)data;
	(void)len;
	return false;
}
#endif

/**
 * Read the next available descriptors, eight at once, up to those of another kind.
 *
 * @param n upper limit: available descriptors and array size
 * @param flags that each descriptor must have, exactly
 * @param head receives the descriptor indexes
 * @param data receives the HVAs of the buffers, each of which lies in one region
 * @param len receives the lengths of the buffers, each longer than a header
 * @return number of descriptors, a multiple of eight
 */
static inline uint16_t
split_desc_run(const struct virtq *ring, uint16_t n, uint16_t flags, uint16_t head[],
	uint8_t *data[], uint32_t len[])
{
	uint16_t i = 0;

	while (i + SPLIT_DESC_AT_ONCE <= n &&
		split_desc_eight(
			ring, (uint16_t)(ring->last_avail + i), flags, &head[i], &data[i], &len[i]))
		i += SPLIT_DESC_AT_ONCE;
	return i;
}

#endif
