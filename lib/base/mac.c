/* SPDX-License-Identifier: BSD-3-Clause */
/* Parses and prints MAC addresses. */
#include "base/mac.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

static int
mac_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int
mac_parse(const char *text, uint64_t *mac)
{
	uint64_t value = 0;

	for (int i = 0; i < MAC_BYTES; i++, text += 2) {
		if (i > 0 && *text != ':' && *text != '-')
			return -EINVAL;
		text += i > 0;
		int high = mac_digit(text[0]);
		int low = high < 0 ? -1 : mac_digit(text[1]);
		if (low < 0)
			return -EINVAL;
		value |= (uint64_t)(high << 4 | low) << (8 * i);
	}
	if (*text != '\0')
		return -EINVAL;
	*mac = value;
	return 0;
}

char *
mac_format(uint64_t mac, char text[MAC_TEXT_MAX])
{
	const uint8_t b[MAC_BYTES] = {mac, mac >> 8, mac >> 16, mac >> 24, mac >> 32, mac >> 40};

	snprintf(text, MAC_TEXT_MAX, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4],
		b[5]);
	return text;
}
