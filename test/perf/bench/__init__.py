# SPDX-License-Identifier: BSD-3-Clause
"""`make bench`: switches side by side on this machine. See doc/performance.md."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / 'lib'))
