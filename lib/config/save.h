/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Save a configuration file.
 *
 * Thread safety: control thread only.
 */
#ifndef SHUNT_CONFIG_SAVE_H
#define SHUNT_CONFIG_SAVE_H

#include "base/err.h"

/**
 * Replace a file atomically, by rename(2): a reader sees the old text or the new one. Symbolic
 * links are followed, and the file that they lead to is replaced in its own directory. An existing
 * file keeps its mode, owner and access control list, or is not replaced.
 *
 * @param path absolute path
 * @return 0; negative errno with the reason, with the file unchanged
 */
int config_save_text(const char *path, const char *text, struct err *err);

#endif
