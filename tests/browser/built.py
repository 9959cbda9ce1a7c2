"""Is the committed build of the JupyterLab extension that of the committed sources?

``--write`` writes the sources' hash beside the build; ``make labextension`` does it after each build.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STAMP = ROOT / "src" / "nbml" / "labextension" / "sources.sha256"
SOURCES = ("src/**/*", "style/*", "schema/*", "package.json", "tsconfig.json", "rspack.config.js", "yarn.lock")


def digest() -> str:
    """Of every file that the build reads: names and contents."""
    found = hashlib.sha256()
    folder = ROOT / "labextension"
    for path in sorted({path for pattern in SOURCES for path in folder.glob(pattern) if path.is_file()}):
        found.update(f"{path.relative_to(folder).as_posix()}\n".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


if __name__ == "__main__":
    if "--write" in sys.argv:
        STAMP.write_text(digest() + "\n")
    print(digest())
