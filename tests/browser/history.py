"""A project with histories, made as a user would: deliveries of which some go wrong, and names that are hostile."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import nbml
from nbml.display import Histogram, Report, Spark, Table, bundle, keep

HOSTILE = '<img src=x onerror="window.pwned=1">'
TURNED = "amount\u202e\u0007 due"
#: a value that rings, colours a terminal, turns the text, and ends it
SAID = "rung\u0007\u001b[31m\u2066\u202eturned\u0000over"
LONG = "a_name_that_goes_on_" * 8
SUITE = """\
2_000 <= rows <= 4_000
unique(parcel)
not_null(parcel, depot)
0.1 <= weight_kg <= 40
depot in {"Basel", "Bern", "Chur", "Genf"}
"""
#: figures out of their bounds, and shares of which some is allowed
LEVELS = """\
mean(weight_kg) < 2
20 <= median(weight_kg) <= 30
rows > 5_000
weight_kg <= 3, mostly=0.8
depot in {"Basel", "Bern", "Genf"}, mostly=0.95
parcel >= 11_000
"""
#: versions of the deliveries; from SCALES on the weights come in gram, and LOST has a fifth of its rows missing
VERSIONS, SCALES, LOST = 9, 7, 9
ROWS = 12_000


def delivery(number: int) -> pd.DataFrame:
    """One week's parcels."""
    rng = np.random.default_rng(number)
    rows = 3_000 + int(rng.integers(-60, 60))
    frame = pd.DataFrame({
        "parcel": np.arange(rows) + number * 10_000,
        "depot": rng.choice(["Basel", "Bern", "Chur", "Genf"], rows, p=[0.4, 0.3, 0.1, 0.2]),
        "weight_kg": rng.gamma(2.0, 2.5, rows).clip(0.2, 38).round(2),
        "posted": pd.Timestamp("2026-01-05") + pd.to_timedelta(7 * number + rng.integers(0, 7, rows), unit="D"),
    })  # fmt: skip
    if number >= SCALES:
        frame.loc[frame.index % 9 == 0, "weight_kg"] *= 1000
    return frame.iloc[: int(rows * 0.78)] if number == LOST else frame


def build() -> list[dict[str, object]]:
    """Snapshots and checks; returns the outputs of the notebook."""
    nbml.expect("levels", LEVELS)
    levels = nbml.validate(delivery(1), "levels")
    nbml.expect("deliveries", SUITE)
    checked = None
    for number in range(1, VERSIONS + 1):
        nbml.snapshot(delivery(number), "deliveries", note="the first week" if number == 1 else "")
        checked = nbml.validate(f"deliveries@{number}", "deliveries")
    assert checked is not None
    nbml.snapshot(delivery(1).head(100), "once")
    hostile = pd.DataFrame({HOSTILE: range(400), TURNED: 1.5, LONG: "x", "said": [HOSTILE, SAID] * 200})
    nbml.snapshot(hostile, "hostile", note=f"{HOSTILE} {TURNED}")
    nbml.snapshot(hostile.assign(**{HOSTILE: None, TURNED: None}).head(200), "hostile")
    nbml.expect("hostile", f"not_null(col({HOSTILE!r}))\ncol({TURNED!r}) >= 0\ncol({LONG!r}) == '{HOSTILE}'\nsaid in {{'nothing'}}\n")
    mean = nbml.validate("hostile@2", "hostile")
    return [bundle(report) for report in (checked._report(), mean._report(), long_table(), pictures(), levels._report())]


def long_table() -> Report:
    """A table of which a notebook keeps the first rows; the largest value is among the others."""
    rows = [(f"parcel {i:05d}", (i * 7919) % ROWS, "x" * 12) for i in range(ROWS)]
    report = Report("A long table", "idle", parts=[Table(("parcel", "points", "filler"), rows)])
    keep(report)
    return report


def pictures() -> Report:
    parts = [Spark([1.0, 4.0, 2.0], "from 1 to 2"), Histogram([3, 5, 2], [2, 4, 6], "reference and now")]
    return Report("Two pictures", "idle", parts=parts)


def notebook(outputs: list[dict[str, object]]) -> None:
    """A notebook with results that was run elsewhere: not trusted here. Written as JSON, since nbformat loads for seconds."""
    cells = [
        {
            "cell_type": "code", "id": f"cell{number}", "metadata": {}, "source": f"result_{number}", "execution_count": number + 1,
            "outputs": [{"output_type": "execute_result", "metadata": {}, "data": data, "execution_count": number + 1}],
        }
        for number, data in enumerate(outputs)
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}, "cells": cells}
    Path("results.ipynb").write_text(json.dumps(made))


if __name__ == "__main__":
    assert Path.cwd() == Path(sys.argv[1])
    notebook(build())
