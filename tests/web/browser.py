"""Where this machine's headless Chromium is, None without one."""

from __future__ import annotations

import shutil

CHROMIUM = next(
    (found for name in ("chromium-headless-shell", "chromium", "google-chrome") if (found := shutil.which(name))), None
)
