"""Build a Bento of a written folder: ``python -I -B assemble.py``, the request as JSON on stdin, its folder as JSON on stdout.

A process of its own, because BentoML keeps its home folder, its log handlers and the imported service for as long as the
process lives. BENTOML_HOME and BENTOML_DO_NOT_TRACK come by the environment.
"""

from __future__ import annotations

import json
import os
import sys

asked = json.loads(sys.stdin.buffer.read())
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import bentoml  # noqa: E402

bento = bentoml.build(
    "service:Service",
    name=asked["name"],
    version=asked["version"],
    description=asked["description"],
    build_ctx=asked["folder"],
    labels=asked["labels"],
    python={"packages": asked["requirements"], "lock_packages": False},  # not by file: BentoML reads none below a hidden folder
)
out.write(json.dumps({"path": str(bento.path)}))
out.close()
