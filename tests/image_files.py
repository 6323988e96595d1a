"""Image files by their specifications, of kinds that Pillow cannot write."""

import struct
import zlib

# of each pass of interlacing: first column and row, steps to the right and down
ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
    (0, 1, 1, 2),
)  # fmt: skip


def png(values, *, color, exif=b"", interlaced=False):
    """PNG of 16 bits, (h, w, channels), its rows filtered by each of the five filters in turn."""
    height, width = values.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, 16, color, 0, 0, interlaced)
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    parts = [values[y::down, x::right] for x, y, right, down in passes]
    data = b"".join(filtered(part) for part in parts if part.size)
    orientation = chunk(b"eXIf", exif) if exif else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + orientation
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def filtered(values):
    step = 2 * (values.shape[2] if values.ndim == 3 else 1)
    before, out = bytes(values[0].astype(">u2").nbytes), b""
    for number, row in enumerate(values):
        raw = row.astype(">u2").tobytes()
        left = bytes(step) + raw[:-step]
        corner = bytes(step) + before[:-step]
        kind = number % 5
        out += bytes([kind]) + bytes(
            (byte - predicted(kind, a, b, c)) % 256
            for byte, a, b, c in zip(raw, left, before, corner, strict=True)
        )
        before = raw
    return out


def predicted(kind, left, above, corner):
    if kind == 4:  # Paeth
        guess = left + above - corner
        return min((left, above, corner), key=lambda value: abs(guess - value))
    return (0, left, above, (left + above) // 2)[kind]


def tiff(values, *, photometric, bits=16, order="<", deflated=False, planar=1, rows=None, tags=()):
    """TIFF of one strip, (h, w[, channels]), with values of ``bits``, 12 or 16.

    ``rows`` is how many the strip is said to hold; all if not given.
    """
    channels = values.shape[2] if values.ndim == 3 else 1
    data = packed(values, bits, order)
    data = zlib.compress(data) if deflated else data
    at = 8 + len(data)
    entries = [
        (256, 3, [values.shape[1]]), (257, 3, [values.shape[0]]), (258, 3, [bits] * channels),
        (259, 3, [8 if deflated else 1]), (262, 3, [photometric]), (273, 4, [8]),
        (277, 3, [channels]), (278, 3, [rows or values.shape[0]]), (279, 4, [len(data)]),
        (284, 3, [planar]), *tags,
    ]  # fmt: skip
    entries.sort()
    long = b""
    beyond = at + 2 + 12 * len(entries) + 4
    written = b""
    for tag, kind, held in entries:
        content = struct.pack(f"{order}{len(held)}{'H' if kind == 3 else 'I'}", *held)
        if len(content) > 4:
            place = struct.pack(f"{order}I", beyond + len(long))
            long += content
        else:
            place = content.ljust(4, b"\0")
        written += struct.pack(f"{order}HHI", tag, kind, len(held)) + place
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", at)
    count = struct.pack(f"{order}H", len(entries))
    return start + data + count + written + bytes(4) + long


def packed(values, bits, order):
    if bits == 12:  # two values in three bytes, each row begun anew
        rows = ["".join(f"{value:012b}" for value in row) for row in values.tolist()]
        rows = [row + "0" * (-len(row) % 8) for row in rows]
        return b"".join(int(row, 2).to_bytes(len(row) // 8, "big") for row in rows)
    return values.astype(f"{order}u2").tobytes()
