/* SPDX-License-Identifier: BSD-3-Clause */
/* Which plugins DPDK finds, and how to get others. */
#include "lcore/plugins.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_build_config.h>
#include <rte_version.h>

enum { PLUGINS_PATH_MAX = 512 };

static const char plugins_folder[] = RTE_EAL_PMD_PATH; /* ".../dpdk/pmds-23.0" */

bool
plugins_present(const char *name)
{
	char path[PLUGINS_PATH_MAX];

	snprintf(path, sizeof(path), "%s/librte_%s.so", plugins_folder, name);
	return plugins_folder[0] == '\0' || access(path, F_OK) == 0;
}

char *
plugins_package(const char *name, char text[PLUGINS_TEXT_MAX])
{
	const char *abi = strrchr(plugins_folder, '-');

	abi = abi != NULL ? abi + 1 : "";
	snprintf(text, PLUGINS_TEXT_MAX, "librte-%s%.*s", name, (int)strcspn(abi, "."), abi);
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
