"""What a source of frames promises. Subclass ``SourceSuite`` in a test and give ``source(folder)``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbml.datasets.sources import frame

if TYPE_CHECKING:
    import pandas as pd

    from nbml.datasets.sources import Source

ROWS = 5000


class SourceSuite:
    """One test for each promise of ``nbml.datasets.sources.Source``."""

    def source(self, rows: pd.DataFrame, folder: Path) -> Source:
        """The source that is judged, holding these rows; ``folder`` may be written in."""
        raise NotImplementedError

    def rows(self) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame({"a": range(ROWS), "b": [f"t{i}" for i in range(ROWS)]})

    def test_it_has_names_and_a_count_or_none(self, tmp_path: Path) -> None:
        source = self.source(self.rows(), tmp_path)
        assert source.schema().names == ["a", "b"]
        assert source.count() in (ROWS, None)
        size = source.size()
        assert size is None or ROWS * 4 < size < ROWS * 400

    def test_batches_hold_all_rows_in_order_with_their_position(self, tmp_path: Path) -> None:
        source = self.source(self.rows(), tmp_path)
        for _ in range(2 if source.again else 1):
            at: int = 0
            values: list[Any] = []
            for batch in source.batches(size=20_000):
                assert batch.position == at
                at += batch.count
                values += batch.rows.column("a").to_pylist()
            assert values == list(range(ROWS))

    def test_some_columns_are_read_in_the_order_asked(self, tmp_path: Path) -> None:
        batches = list(self.source(self.rows(), tmp_path).batches(["b"]))
        assert [name for batch in batches for name in batch.rows.schema.names] == ["b"] * len(batches)

    def test_the_frame_is_the_rows(self, tmp_path: Path) -> None:
        import pandas as pd

        pd.testing.assert_frame_equal(frame(self.source(self.rows(), tmp_path)), self.rows())

    def test_no_rows_are_a_frame_too(self, tmp_path: Path) -> None:
        found = frame(self.source(self.rows().iloc[:0], tmp_path))
        assert (len(found), list(found.columns)) == (0, ["a", "b"])
