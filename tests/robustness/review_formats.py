"""Reviews in every format, archives, and signals of numbers."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
import zipfile
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import torch

from engine.cells import RateCell
from engine.imdb import read_archive
from engine.network import Network
from engine.reviews import open_reviews
from engine.sequences import open_sequences
from engine.sources.keras_npz import WORD_INDEX
from tests.robustness import mutations
from tests.robustness.kinds import Format, read_live, text


def use_reviews(path: Path) -> None:
    for review in open_reviews(path):
        assert len(review.surface) == len(review.words)


def use_archive(path: Path) -> None:
    for review in read_archive(path):
        assert review.name.isprintable()


def use_signal(path: Path) -> None:
    sequences = open_sequences(SIGNAL_NETWORK, path)
    assert all(sequence.summary.isprintable() for sequence in sequences)
    read_live(SIGNAL_NETWORK, list(sequences[:2]))


SIGNAL_NETWORK: Final = Network(
    RateCell(torch.ones(2, 3), torch.eye(2) / 2, torch.zeros(2)),
    torch.ones(1, 2),
    torch.zeros(1),
    info={"activation": "linear"},
)


def make_archive(path: Path, kind: int) -> None:
    with tarfile.open(path, "w:gz", format=kind) as archive:
        for label in ("pos", "neg"):
            text = f"a fine film of {label}".encode()
            member = tarfile.TarInfo(f"aclImdb/test/{label}/0_9.txt")
            member.size = len(text)
            member.pax_headers = {"comment": "x", "mtime": "1.5"} if kind == tarfile.PAX_FORMAT else {}
            archive.addfile(member, io.BytesIO(text))


def make_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("pos/1_9.txt", "neg/2_2.txt", "pos/3.txt.gz"):
            content = f"a film, {name}".encode()
            archive.writestr(name, gzip.compress(content, mtime=0) if name.endswith("gz") else content)


def make_keras_imdb(path: Path) -> None:
    path.with_name(WORD_INDEX).write_text(json.dumps({"a": 1, "dull": 2, "film": 3}))
    lists = np.empty(2, dtype=object)
    lists[:] = [[1, 2, 3], [3, 1]]
    labels = np.array([0, 1])
    np.savez_compressed(path, x_test=lists, y_test=labels, x_train=lists, y_train=labels)


def make_table(path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    table = pyarrow.table({"text": ["A fine film", "Dull", None], "label": [1, 0, 1], "n": [0.5, 1.0, 2.0]})
    names = {"info": {"features": {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}}}
    table = table.replace_schema_metadata({"huggingface": json.dumps(names)})
    if path.suffix == ".parquet":
        parquet.write_table(table, path, compression="none")
        return
    with pyarrow.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table)


def make_signal(path: Path) -> None:
    values = np.arange(60, dtype=np.float32).reshape(2, 10, 3) / 7
    if path.suffix == ".npy":
        np.save(path, values)
    else:
        rows = "\n".join(",".join(f"{value:.3g}" for value in row) for row in values[0])
        path.write_text(f'"first","second channel",third\n{rows}\n')


def damage_compressed(data: bytes, dice: random.Random) -> bytes:
    """Damage the lines inside a .gz file, or the file itself."""
    if dice.random() < 0.5:
        return mutations.damage_bytes(data, dice)
    return gzip.compress(mutations.damage_lines(gzip.decompress(data), dice), 1, mtime=0)


_CSV = '"text","label","n"\n"A warm, good film",pos,1\n"A ""dull"" film\nof two lines",neg,2\n'
_TSV = 'id\tsentiment\treview\n"1"\t1\t"A \\"fine\\", film"\n2\t0\tA 5" dull film\n'
_JSONL = '{"text": "A warm film", "label": 1, "n": 3}\n\n{"text": "A dull one", "label": 0}\n'
_JSON = '{"n": 2, "data": [{"text": "A warm film", "label": 1, "tags": ["a"]}, {"text": "Dull", "label": 0}]}'
_FASTTEXT = "__label__2 Fine: a film\n__label__1 Dull\n"

REVIEW_FORMATS: dict[str, Format] = {
    "reviews-txt": Format("one.txt", text("A warm film <br /> of two – lines.\n"), mutations.damage_lines, use_reviews),
    "reviews-csv": Format("two.csv", text(_CSV), mutations.damage_lines, use_reviews),
    "reviews-tsv": Format("two.tsv", text(_TSV), mutations.damage_lines, use_reviews),
    "reviews-jsonl": Format("two.jsonl", text(_JSONL), mutations.damage_lines, use_reviews),
    "reviews-json": Format("two.json", text(_JSON), mutations.damage_json, use_reviews),
    "reviews-fasttext": Format("two.txt", text(_FASTTEXT), mutations.damage_lines, use_reviews),
    "reviews-lines": Format("two.pos", text("a fine film .\n\n dull . \n"), mutations.damage_lines, use_reviews),
    "reviews-gz": Format(
        "two.csv.gz", lambda path: path.write_bytes(gzip.compress(_CSV.encode())), damage_compressed, use_reviews
    ),
    "reviews-zip": Format("a.zip", make_zip, partial(mutations.damage_zip, member=mutations.damage_lines), use_reviews),
    "reviews-tar": Format(
        "a.tar.gz", partial(make_archive, kind=tarfile.PAX_FORMAT), mutations.damage_tar, use_reviews
    ),
    "reviews-npz": Format("imdb.npz", make_keras_imdb, mutations.damage_arrays, use_reviews),
    "archive-gnu": Format(
        "a.tar.gz", partial(make_archive, kind=tarfile.GNU_FORMAT), mutations.damage_tar, use_archive
    ),
    "archive-pax": Format(
        "a.tar.gz", partial(make_archive, kind=tarfile.PAX_FORMAT), mutations.damage_tar, use_archive
    ),
    "signal-csv": Format("s.csv", make_signal, mutations.damage_lines, use_signal),
    "signal-npy": Format("s.npy", make_signal, mutations.damage_array, use_signal),
}
if find_spec("pyarrow"):
    REVIEW_FORMATS |= {
        f"reviews-{name}": Format(f"two.{name}", make_table, mutations.damage_bytes, use_reviews)
        for name in ("parquet", "arrow")
    }
