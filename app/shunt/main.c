/* SPDX-License-Identifier: BSD-3-Clause */
/* The main program of shunt. */
#include "cli.h"

int
main(int argc, char **argv)
{
	return cli_main(argc, argv, stdout, stderr);
}
