/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writing a configuration file.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_CONFIG_SAVE_H
#define SHUNT_CONFIG_SAVE_H

#include "base/err.h"

/**
 * Replace a file's content at once: a reader sees the old text or the new one. Symbolic links are
 * followed, and what they lead to is replaced in its own directory; a file that is there keeps its
 * mode, owner and access list, or is left as it is.
 *
 * @param path an absolute path
 * @return 0; negative errno with the reason, and nothing changed
 */
int config_save_text(const char *path, const char *text, struct err *err);

#endif
