"""Damage to files: bytes, JSON values, and headers whose checksums are right, so that it gets past the outer checks."""

from __future__ import annotations

import gzip
import io
import json
import random
import struct
import zipfile
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

Mutation = Callable[[bytes, random.Random], bytes]

ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, -1, 1, 2, 1e9, 1e300, 2**31, 2**63, 2**64, 10**40, -(2**63), 0.5),
    *(float("nan"), float("inf")),
    *("", " ", "0", "-1", "nan", "x" * 5000, "\x1b[2J", "\u202e", "\ud800", "\0", "\n", "../../x", "漢字", "9" * 5000),
    *([], {}, [[]], [None], [1, "a"], {"a": 1}, [[[[[[[[[[]]]]]]]]]], [0] * 2000),
)  # fmt: skip
_TYPES: Final = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "I64", "I32", "I16", "I8", "U8", "BOOL", "C64", "X")
_WIDTHS: Final = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "C64": 8}
_HEADER_FIELDS: Final = (
    *((0, 100), (100, 24), (124, 12), (136, 12), (148, 8), (156, 1), (157, 100), (257, 8), (345, 155), (482, 30)),
)


def damage_bytes(data: bytes, dice: random.Random) -> bytes:
    """Change, insert, delete, repeat or cut some bytes."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4, 16))):
        place = dice.randrange(len(changed) + 1)
        match dice.randrange(8):
            case 0 | 1 | 2 if place < len(changed):
                changed[place] ^= 1 << dice.randrange(8)
            case 3 if place < len(changed):
                changed[place] = dice.choice((0, 10, 34, 92, 127, 128, 255))
            case 4:
                changed[place:place] = dice.randbytes(dice.randrange(1, 40))
            case 5:
                del changed[place : place + dice.randrange(1, 60)]
            case 6:
                changed[place:place] = changed[place : place + dice.randrange(1, 200)] * dice.randrange(1, 4)
            case 7 if dice.random() < 0.3:
                del changed[place:]
    return bytes(changed)


def damage_value(value: Any, dice: random.Random) -> Any:
    """Replace, remove or repeat one value somewhere in a JSON document; texts that are JSON are entered too."""
    if isinstance(value, str) and value[:1] in "[{" and dice.random() < 0.8:
        try:
            return json.dumps(damage_value(json.loads(value), dice))
        except ValueError:
            pass
    if not isinstance(value, dict | list) or not value or dice.random() < 0.15:
        if isinstance(value, str) and value and dice.random() < 0.3:
            place = dice.randrange(len(value))
            return value[:place] + dice.choice(("\x1b", "\n", "", '"', "\u2028", "\ud800", "0")) + value[place + 1 :]
        return dice.choice(ODD)
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    key = dice.choice(list(copy)) if isinstance(copy, dict) else dice.randrange(len(copy))
    match dice.randrange(8):
        case 0:
            del copy[key]
        case 1 if isinstance(copy, dict):
            copy[dice.choice(("x", "", "\x1b", "__proto__", str(key) + " "))] = copy[key]
        case 2 if isinstance(copy, list):
            copy += copy[key:]
        case _:
            copy[key] = damage_value(copy[key], dice)
    return copy


def damage_json(data: bytes, dice: random.Random) -> bytes:
    """Damage a JSON document, or its bytes; sometimes nest it deeply."""
    if dice.random() < 0.3:
        return damage_bytes(data, dice)
    if dice.random() < 0.02:
        return dice.choice((b"[", b'{"a":')) * dice.choice((50, 1000, 100_000))
    document = json.loads(data)
    for _ in range(dice.choice((1, 1, 2, 5))):
        document = damage_value(document, dice)
    return json.dumps(document).encode("utf-8", "surrogatepass")


def damage_lines(data: bytes, dice: random.Random) -> bytes:
    """Damage a text of lines: replace, repeat and cut lines, or change bytes."""
    if dice.random() < 0.4:
        return damage_bytes(data, dice)
    lines = data.split(b"\n")
    for _ in range(dice.choice((1, 2, 5))):
        place = dice.randrange(len(lines))
        match dice.randrange(6):
            case 0:
                lines[place] = json.dumps(dice.choice(ODD)).encode("utf-8", "surrogatepass")
            case 1:
                lines[place] = lines[place] * dice.randrange(2, 50)
            case 2:
                lines[place:place] = [dice.choice((b"", b"[a]", b'a."b" = 3', b'"', b"'", b",,,,", b"\xff\xfe", b"\0"))]
            case 3:
                del lines[place]
                lines = lines or [b""]
            case 4:
                a, b = lines[place], dice.choice(lines)
                lines[place] = a[: dice.randrange(len(a) + 1)] + b[dice.randrange(len(b) + 1) :]
            case 5:
                lines[place] = lines[place].replace(dice.choice((b'"', b",", b"=", b"[", b"1", b"text", b"label")), b"")
    return b"\n".join(lines)


def damage_safetensors(data: bytes, dice: random.Random) -> bytes:
    """Damage the header as JSON, give a tensor another type or shape, or change values."""
    if dice.random() < 0.25:
        return damage_bytes(data, dice)
    length = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + length]), bytearray(data[8 + length :])
    for _ in range(dice.choice((1, 1, 2, 4))):
        tensors = [name for name in header if isinstance(header[name], dict) and "data_offsets" in header[name]]
        tensor = header[dice.choice(tensors)] if tensors else {}
        kind = dice.randrange(8)
        if kind < 3 and isinstance(header.get("__metadata__"), dict) and header["__metadata__"]:
            entries = header["__metadata__"]
            name = dice.choice(list(entries))
            changed = damage_value(entries[name], dice)
            entries[name] = changed if isinstance(changed, str) else json.dumps(changed)
        elif kind < 5 and tensors and isinstance(tensor["data_offsets"], list) and len(tensor["data_offsets"]) == 2:
            start, stop = tensor["data_offsets"]
            tensor["dtype"] = dice.choice(_TYPES)
            known = type(start) is type(stop) is int
            values = (stop - start) // _WIDTHS.get(tensor["dtype"], 1) if known else 1
            divisor = dice.choice([k for k in (1, 2, 3, 4, 8, 12, 48) if not values % k])
            tensor["shape"] = dice.choice(([values], [divisor, values // divisor], [values // divisor, divisor, 1], []))
        elif kind == 5 and len(body) > 8:
            place = 4 * dice.randrange(len(body) // 4)
            body[place : place + 4] = struct.pack("<f", dice.choice((float("nan"), float("inf"), 1e38, -1e-40, 1e30)))
        elif kind == 6 and tensors:
            header[dice.choice((*tensors, "x", "0/h", "embedding"))] = header.pop(dice.choice(tensors))
        else:
            header = damage_value(header, dice)
            if not isinstance(header, dict):
                break
    text = json.dumps(header).encode("utf-8", "surrogatepass")
    return struct.pack("<Q", len(text)) + text + bytes(body)


def damage_zip(data: bytes, dice: random.Random, member: Mutation = damage_bytes) -> bytes:
    """Damage a member of an archive and write its checksum anew; or damage the archive itself."""
    if dice.random() < 0.4:
        return damage_bytes(data, dice)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [(entry.filename, entry.compress_type, archive.read(entry)) for entry in archive.infolist()]
    place = dice.randrange(len(members))
    name, compression, content = members[place]
    match dice.randrange(6):
        case 0:
            del members[place]
        case 1:
            members[place] = (dice.choice(members)[0], compression, content)
        case 2:
            members[place] = (name, compression, dice.choice(members)[2])
        case _:
            members[place] = (name, compression, member(content, dice))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, compression, content in {one[0]: one for one in members}.values():
            archive.writestr(name, content, compression)
    return out.getvalue()


def damage_array(data: bytes, dice: random.Random) -> bytes:
    """Damage a ``.npy`` member: its type, shape or values."""
    if dice.random() < 0.4 or b"}" not in data:
        return damage_bytes(data, dice)
    end = data.index(b"\n") + 1
    head, body = data[10:end].decode("latin1"), data[end:]
    types = ("<f8", "<f4", "<i8", "|b1", "<c16", "<U3", "|O", "|S8", "<f2", "<M8[s]", "|V16")
    for old in types:
        if dice.random() < 0.3:
            head = head.replace(f"'{old}'", f"'{dice.choice(types)}'")
    if dice.random() < 0.6:
        inside = head[head.index("(") + 1 : head.index(")")] if "(" in head and ")" in head else ""
        parts = [part for part in inside.split(",") if part.strip()]
        shape = dice.choice(
            ("", "0,", "1,", "3000000000,", "99999999999999,", "-1,", f"{','.join(parts[::-1])},", "2, 2")
        )
        head = head.replace(f"({inside})", f"({shape})")
    head = head.strip().ljust(end - 11)[:60_000] + "\n"
    return data[:8] + struct.pack("<H", len(head)) + head.encode("latin1") + body


def damage_arrays(data: bytes, dice: random.Random) -> bytes:
    """Damage an ``.npz`` file; half the time without its digest, as files of older versions have none."""
    if dice.random() < 0.5:
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(out, "w") as copy:
            for name in archive.namelist():
                if name != "digest.npy":
                    copy.writestr(name, archive.read(name))
        data = out.getvalue()
    return damage_zip(data, dice, damage_array)


def damage_tar(data: bytes, dice: random.Random) -> bytes:
    """Damage headers in a compressed tar archive and write their checksums anew; or damage the compressed bytes."""
    if dice.random() < 0.25:
        return damage_bytes(data, dice)
    tar = bytearray(gzip.decompress(data))
    for _ in range(dice.choice((1, 1, 2, 4, 8))):
        start = 512 * dice.randrange(len(tar) // 512)
        first, width = dice.choice(_HEADER_FIELDS)
        place = start + first + dice.randrange(min(width, 16))
        tar[place] = (
            ord(dice.choice("0123457gxLKSXDVM"))
            if first == 156
            else dice.choice((0, 32, 55, 128, 255, dice.randrange(256)))
        )
        if dice.random() < 0.9:
            block = bytearray(tar[start : start + 512])
            block[148:156] = b" " * 8
            tar[start + 148 : start + 156] = b"%06o\0 " % sum(block)
    return gzip.compress(bytes(tar), 1, mtime=0)


def damage_onnx(data: bytes, dice: random.Random) -> bytes:
    """Change fields of an ONNX graph: names, shapes, types, attributes, whole nodes; or bytes."""
    import onnx

    if dice.random() < 0.25:
        return damage_bytes(data, dice)
    model = onnx.load_model_from_string(data)
    for _ in range(dice.choice((1, 1, 2, 4))):
        _damage_message(model, dice)
    return bytes(model.SerializeToString())


def _damage_message(message: Any, dice: random.Random) -> None:
    """Replace, remove or repeat one field somewhere in a protocol buffer."""
    fields = message.ListFields()
    if not fields:
        return
    field, value = dice.choice(fields)
    if field.is_repeated:
        place = dice.randrange(len(value))
        match dice.randrange(6):
            case 0:
                del value[place]
            case 1:
                value.extend([value[place]] * dice.choice((1, 3)))
            case _ if field.message_type:
                _damage_message(value[place], dice)
            case _:
                value[place] = _odd_value(value[place], dice)
    elif field.message_type:
        _damage_message(value, dice) if dice.random() < 0.9 else message.ClearField(field.name)
    elif dice.random() < 0.2:
        message.ClearField(field.name)
    else:
        with suppress(ValueError):  # no such number in an enumeration, or out of the range of the field
            setattr(message, field.name, _odd_value(value, dice))


def _odd_value(value: Any, dice: random.Random) -> Any:
    if isinstance(value, bytes):
        return damage_bytes(value, dice)
    if isinstance(value, str):
        return dice.choice(("", "x" * 3000, "\x1b[2J", "W", "ids", "LSTM", "GRU", "Loop", "\u202e", "0"))
    if isinstance(value, float):
        return dice.choice((0.0, -1.0, 1e30, float("nan"), float("inf")))
    return dice.choice((0, 1, 2, 3, 7, 16, -1, value + 1, 2**31 - 1))
