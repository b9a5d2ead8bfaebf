/* SPDX-License-Identifier: BSD-3-Clause */
/* Output that all commands share: errors, and JSON documents. */
#include "cli.h"

#include <stdarg.h>
#include <unistd.h>

#include "text.h"

int
cli_fail(const struct cli *cli, int code, const char *format, ...)
{
	char text[2 * ERR_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fprintf(cli->err, "shunt: %s\n", text_clean(text, text, sizeof(text)));
	return code;
}

int
cli_json(const struct cli *cli, const json_t *document)
{
	int fd = fileno(cli->out);
	size_t flags = fd >= 0 && isatty(fd) ? JSON_INDENT(2) : 0;

	json_dumpf(document, cli->out, flags | JSON_ENCODE_ANY);
	putc('\n', cli->out);
	return CLI_DONE;
}
