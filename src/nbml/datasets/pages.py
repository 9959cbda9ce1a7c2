"""Where the pages of a Parquet file begin: the boundaries at which it is cut into pieces that other versions share.

pyarrow cuts pages by content (``use_content_defined_chunking``), and does not say where they lie; so their headers are
read here: Thrift's compact protocol, of which only the length of a page matters.
"""

from __future__ import annotations

from typing import Any

#: of the kinds of values in Thrift's compact protocol
TRUE, FALSE, BYTE, DOUBLE, BINARY, LIST, SET, STRUCT = 1, 2, 3, 7, 8, 9, 10, 12


def cuts(content: memoryview, metadata: Any) -> list[int]:
    """Offsets of pages, of the start and of the end of a file, in order. ``metadata`` is pyarrow's of the file."""
    found = {0, len(content)}
    for group in range(metadata.num_row_groups):
        for number in range(metadata.row_group(group).num_columns):
            column = metadata.row_group(group).column(number)
            starts = [column.data_page_offset, column.dictionary_page_offset]
            at = min(start for start in starts if start)
            end = at + column.total_compressed_size
            while at < end:
                found.add(at)
                length, at = _header(content, at)
                at += length
            found.add(end)
    return sorted(found)


def _header(content: memoryview, at: int) -> tuple[int, int]:
    """The compressed length of the page whose header begins at ``at``, and where the header ends."""
    field, length = 0, -1
    while True:
        head = content[at]
        at += 1
        if head == 0:
            break
        field, at = (field + (head >> 4), at) if head >> 4 else _number(content, at)
        if field == 3 and head & 15 in (4, 5, 6):
            length, at = _number(content, at)
        else:
            at = _skipped(content, at, head & 15)
    if length < 0:
        raise ValueError("a page without a length")
    return length, at


def _number(content: memoryview, at: int) -> tuple[int, int]:
    """A whole number, zigzag."""
    value, at = _unsigned(content, at)
    return (value >> 1) ^ -(value & 1), at


def _unsigned(content: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def _skipped(content: memoryview, at: int, kind: int) -> int:
    """Where the value of ``kind`` that begins at ``at`` ends."""
    if kind in (TRUE, FALSE):
        return at
    if kind == BYTE:
        return at + 1
    if kind == DOUBLE:
        return at + 8
    if kind == BINARY:
        length, at = _unsigned(content, at)
        return at + length
    if kind in (LIST, SET):
        head = content[at]
        count, at = (head >> 4, at + 1) if head >> 4 < 15 else _unsigned(content, at + 1)
        for _ in range(count):
            at = at + 1 if head & 15 in (TRUE, FALSE) else _skipped(content, at, head & 15)
        return at
    if kind == STRUCT:
        while (head := content[at]) != 0:
            at = _skipped(content, at + 1 if head >> 4 else _number(content, at + 1)[1], head & 15)
        return at + 1
    return _unsigned(content, at)[1]
