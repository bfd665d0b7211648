"""Bytes made smaller with zlib, and made whole again in bounded memory."""

import zlib

MOST_RATIO = 50  # text and weights come to a tenth at best; what is made to fill a memory, to a thousandth


def deflated(content: bytes) -> bytes:
    """The same bytes, compressed as far as `inflated` takes it."""
    packed = zlib.compress(content, 9)
    return packed if len(content) <= MOST_RATIO * len(packed) else zlib.compress(content, 0)


def inflated(packed: bytes, size: int) -> bytes:
    """The inverse of `deflated`, for what shall come to ``size`` bytes.

    Raises:
        ValueError: it is damaged, does not come to that size, or is smaller than `MOST_RATIO` lets it be.
    """
    if not 0 < size <= MOST_RATIO * len(packed):
        raise ValueError(f"{len(packed):,} bytes stand for {size:,}, expected at most {MOST_RATIO} times as many")
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(packed, size)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    if len(content) != size or not unpacking.eof or unpacking.unused_data:
        raise ValueError(f"{len(packed):,} bytes do not stand for {size:,}, as the file says they do")
    return content
