/* SPDX-License-Identifier: BSD-3-Clause */
/* Text formatting. */
#include "text.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

enum {
	TEXT_WORD_MAX = 32,  /**< longer words are similar to no other */
	TEXT_GROUPED = 10000 /**< smallest number that is grouped */
};

char *
text_count(uint64_t value, char text[TEXT_NUMBER_MAX])
{
	char digits[TEXT_NUMBER_MAX];
	size_t n = snprintf(digits, sizeof(digits), "%" PRIu64, value);
	size_t used = 0;

	if (value < TEXT_GROUPED)
		return strcpy(text, digits);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && (n - i) % 3 == 0)
			text[used++] = ',';
		text[used++] = digits[i];
	}
	text[used] = '\0';
	return text;
}

char *
text_si(double value, char text[TEXT_NUMBER_MAX])
{
	static const char prefixes[] = {'\0', 'k', 'M', 'G', 'T', 'P', 'E'};
	size_t step = 0;
	int decimals;

	while (value >= 999.5 && step + 1 < sizeof(prefixes)) {
		value /= 1000;
		step++;
	}
	if (step > 0)
		decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
	else
		decimals = value < 9.95 && value > (uint64_t)value;
	snprintf(text, TEXT_NUMBER_MAX, "%.*f%.1s", decimals, value, &prefixes[step]);
	return text;
}

char *
text_duration(uint64_t seconds, char text[TEXT_NUMBER_MAX])
{
	uint64_t days = seconds / 86400;
	unsigned int rest = seconds % 86400;
	int used = 0;

	if (days > 0)
		used = snprintf(text, TEXT_NUMBER_MAX, "%" PRIu64 " d ", days);
	snprintf(text + used, TEXT_NUMBER_MAX - used, "%02u:%02u:%02u", rest / 3600, rest / 60 % 60,
		rest % 60);
	return text;
}

size_t
text_control(const char *text)
{
	unsigned char c = text[0];

	if (c == 0xc2 && (unsigned char)text[1] >= 0x80 && (unsigned char)text[1] < 0xa0)
		return 2;
	return (c > 0 && c < 0x20) || c == 0x7f;
}

char *
text_clean(const char *in, char *out, size_t size)
{
	size_t used = 0;

	while (*in != '\0' && used + 1 < size) {
		size_t control = text_control(in);

		out[used++] = control > 0 ? '?' : *in;
		in += control > 0 ? control : 1;
	}
	out[used] = '\0';
	return out;
}

size_t
text_width(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static unsigned int
text_min(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

unsigned int
text_distance(const char *a, const char *b)
{
	/* Rows of the distance matrix for the prefixes of a of length i - 2, i - 1 and i. */
	unsigned int rows[3][TEXT_WORD_MAX + 1];
	size_t la = strlen(a);
	size_t lb = strlen(b);

	if (la > TEXT_WORD_MAX || lb > TEXT_WORD_MAX)
		return TEXT_WORD_MAX;
	for (size_t i = 0; i <= la; i++) {
		unsigned int *row = rows[i % 3];
		const unsigned int *above = rows[(i + 2) % 3];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			if (i == 0) {
				row[j] = j;
				continue;
			}
			row[j] = text_min(above[j], row[j - 1]) + 1;
			row[j] = text_min(row[j], above[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = text_min(row[j], rows[(i + 1) % 3][j - 2] + 1);
		}
	}
	return rows[la % 3][lb];
}

/** Print a line of text, wrapped. @param indent of all lines but the first */
static void
text_wrap_line(FILE *file, const char *line, size_t length, size_t indent, size_t column)
{
	bool first = true;

	while (length > 0) {
		size_t n = strcspn(line, " \n");

		n = n < length ? n : length;
		if (!first && column + 1 + n > TEXT_COLUMNS) {
			fprintf(file, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			putc(' ', file);
			column++;
		}
		fwrite(line, 1, n, file);
		column += n;
		first = false;
		n += n < length;
		line += n;
		length -= n;
	}
	putc('\n', file);
}

void
text_wrap(FILE *file, const char *text, size_t indent, size_t column)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");

		if (length > 0 && column < indent) {
			fprintf(file, "%*s", (int)(indent - column), "");
			column = indent;
		}
		if (*text == ' ')
			fprintf(file, "%.*s\n", (int)length, text);
		else
			text_wrap_line(file, text, length, indent, column);
		text += length + (text[length] == '\n');
		column = 0;
	}
}
