# SPDX-License-Identifier: BSD-3-Clause
"""Makes test/lib importable and skips real guests where they cannot run."""

import os
import pathlib
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'lib'))


def pytest_collection_modifyitems(items):
    """Guests need QEMU; namespaces need root."""
    missing = [name for name in ('qemu-system-x86_64', 'setpriv', 'taskset', 'ip', 'ethtool')
               if not shutil.which(name)]
    reason = f"missing: {', '.join(missing)}" if missing else 'needs root' if os.geteuid() else None
    for item in items if reason else []:
        item.add_marker(pytest.mark.skip(reason=reason))
