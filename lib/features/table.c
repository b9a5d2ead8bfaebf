/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of features, and the checks that all of them make. */
#include "features/table.h"

#define FEATURE(name) extern const struct feature name##_feature;
#include "feature_list.h"
#undef FEATURE

#define FEATURE(name) &name##_feature,
const struct feature *const features[] = {
#include "feature_list.h"
	NULL};

_Static_assert(sizeof(features) / sizeof(features[0]) <= FEATURES_MAX + 1, "too many features");

int
features_check(const struct port_config *config, struct err *err)
{
	int rc = 0;

	for (unsigned f = 0; rc == 0 && features[f] != NULL; f++)
		if (features[f]->check != NULL)
			rc = features[f]->check(config, err);
	return rc;
}

int
features_relate(
	const struct port_config *const configs[], unsigned n, unsigned *culprit, struct err *err)
{
	for (unsigned i = 0; i < n; i++)
		for (unsigned f = 0; features[f] != NULL; f++) {
			int rc = features[f]->relate != NULL
					 ? features[f]->relate(configs, n, i, err)
					 : 0;
			if (rc == 0)
				continue;
			if (culprit != NULL)
				*culprit = i;
			return rc;
		}
	return 0;
}

bool
features_need_flush(const struct port_config *old, const struct port_config *changed)
{
	for (unsigned f = 0; features[f] != NULL; f++)
		if (features[f]->needs_flush != NULL && features[f]->needs_flush(old, changed))
			return true;
	return false;
}

void
features_apply(const struct port *port, struct fdb *fdb)
{
	for (unsigned f = 0; features[f] != NULL; f++)
		if (features[f]->apply != NULL)
			features[f]->apply(port, fdb);
}

unsigned
features_index(const struct feature *feature)
{
	unsigned f = 0;

	while (features[f] != feature)
		f++;
	return f;
}
