/* SPDX-License-Identifier: BSD-3-Clause */
/* Finds DPDK's plugins, and names the Debian packages of missing ones. */
#include "lcore/plugins.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_build_config.h>
#include <rte_version.h>

enum { PLUGINS_PATH_MAX = 512 };

static const char plugins_folder[] = RTE_EAL_PMD_PATH; /* ".../dpdk/pmds-23.0" */

/** The ABI version in names of libraries and packages, "23" of "pmds-23.0". @return its length */
static int
plugins_abi(const char **abi)
{
	const char *dash = strrchr(plugins_folder, '-');

	*abi = dash != NULL ? dash + 1 : "";
	return (int)strcspn(*abi, ".");
}

/** The name includes the ABI version: the link without it is in development packages only. */
bool
plugins_present(const char *name)
{
	char path[PLUGINS_PATH_MAX];
	const char *abi;
	int digits = plugins_abi(&abi);

	snprintf(path, sizeof(path), "%s/librte_%s.so.%.*s", plugins_folder, name, digits, abi);
	return plugins_folder[0] == '\0' || access(path, F_OK) == 0;
}

char *
plugins_package(const char *name, char text[PLUGINS_TEXT_MAX])
{
	const char *abi;
	int digits = plugins_abi(&abi);

	snprintf(text, PLUGINS_TEXT_MAX, "librte-%s%.*s", name, digits, abi);
	for (char *c = text; *c != '\0'; c++)
		if (*c == '_')
			*c = '-';
	return text;
}

char *
plugins_missing(const char *name, char text[PLUGINS_TEXT_MAX])
{
	char package[PLUGINS_TEXT_MAX];

	snprintf(text, PLUGINS_TEXT_MAX,
		"%s lacks its plugin librte_%s in %.80s (apt install %.60s)", rte_version(), name,
		plugins_folder, plugins_package(name, package));
	return text;
}
