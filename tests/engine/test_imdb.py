"""The IMDb archive: read completely and in a fixed order; a wrong or damaged one is refused."""

import gzip
import re
import tarfile
from pathlib import Path
from typing import Literal

import pytest

from engine.imdb import Member, cache_path, find_archive, read_archive
from engine.text import CUT, ReviewError, count_words
from tests.engine.small_archive import LABELLED, OFFICIAL, pack


def test_both_archives_give_one_split_in_the_same_order(tmp_path: Path) -> None:
    labelled = read_archive(pack(tmp_path / "a.tar.gz", LABELLED), "test")
    backwards = read_archive(pack(tmp_path / "b.tar.gz", dict(reversed(OFFICIAL.items()))), "test")
    assert labelled == backwards
    assert [(review.name, review.text, review.label) for review in labelled] == [
        ("test/neg/2_1", "worst", False),
        ("test/pos/9_10", "wonderful", True),
        ("test/pos/10_7", "fine", True),
    ]


def test_unlabelled_reviews_are_a_split_of_their_own(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar.gz", OFFICIAL)
    assert [review.label for review in read_archive(path, "train")] == [False, True]
    assert [(r.name, r.label) for r in read_archive(path, "unsup")] == [
        ("train/unsup/0_0", None),
        ("train/unsup/1_0", None),
    ]


def test_the_labelled_archive_has_no_unlabelled_reviews(tmp_path: Path) -> None:
    with pytest.raises(
        ReviewError, match="has no reviews: expected files in aclImdb/train/unsup/; the labelled archive"
    ):
        read_archive(pack(tmp_path / "a.tar.gz", LABELLED), "unsup")


def test_another_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match=r"has no reviews: expected files in aclImdb/test/neg/ or aclImdb/test/pos/"):
        read_archive(pack(tmp_path / "a.tar.gz", {"music/a.txt": "la"}))


def test_an_unknown_split_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match=r"has no split 'validation'; expected one of train, test, unsup"):
        read_archive(tmp_path / "a.tar.gz", "validation")


@pytest.mark.parametrize("length", [0, 0.3, 0.9, -4])
def test_a_truncated_archive_is_refused(tmp_path: Path, length: float) -> None:
    path = pack(tmp_path / "a.tar.gz", LABELLED)
    data = path.read_bytes()
    path.write_bytes(data[: int(length * len(data)) if length >= 0 else int(length)])
    with pytest.raises(ReviewError, match=r"a\.tar\.gz' is truncated or damaged: .*; download it again"):
        read_archive(path)


def test_an_archive_cut_before_it_was_compressed_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar.gz", LABELLED)
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:2600]))
    with pytest.raises(ReviewError, match="is truncated or damaged"):
        read_archive(path)


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar.gz", LABELLED)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ReviewError, match="damaged"):
        read_archive(path)


def test_a_review_of_gigabytes_is_refused(tmp_path: Path) -> None:
    """A pax header can claim any size for a sparse file that takes no space in the archive."""
    size = 1 << 40
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("aclImdb/test/pos/0_9.txt")
        member.pax_headers = {"GNU.sparse.size": str(size), "GNU.sparse.map": f"{size},0"}
        archive.addfile(member)
    with pytest.raises(ReviewError, match=f"damaged: test/pos/0_9 has {size} bytes"):
        read_archive(tmp_path / "a.tar.gz")


def test_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar.gz", LABELLED)
    data = bytearray(path.read_bytes())
    data[-8] ^= 0xFF  # the CRC of everything before it
    path.write_bytes(data)
    with pytest.raises(ReviewError, match="CRC"):
        read_archive(path)


def test_what_is_not_an_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_text("a page that says: not found")
    with pytest.raises(ReviewError, match=r"is damaged or not a \.tar\.gz file: Not a gzipped file"):
        read_archive(path)


def test_a_review_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.tar.gz", {"aclImdb/test/pos/0_9.txt": b"caf\xe9"})
    with pytest.raises(ReviewError, match=r"test/pos/0_9 in '.*' is not UTF-8 text: byte 0xe9 at offset 3"):
        read_archive(path)


def test_the_archive_is_found_by_path_or_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given, named = (pack(tmp_path / name, LABELLED) for name in ("given.tar.gz", "named.tar.gz"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("PINKX_IMDB", raising=False)
    with pytest.raises(
        ReviewError, match=r"no IMDb archive found; download it .* with `pinkx reviews fetch`, or .* PINKX_IMDB"
    ):
        find_archive()
    cache_path().parent.mkdir(parents=True)
    pack(cache_path(), LABELLED)
    assert find_archive() == cache_path()
    monkeypatch.setenv("PINKX_IMDB", str(named))
    assert find_archive() == named
    assert find_archive(given) == given


@pytest.mark.parametrize("format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE])
@pytest.mark.parametrize("name", ["a/test/pos/0_9.txt", "é/" * 20 + "x", "folder/" * 20 + "x", "x" * 100, "a/"])
def test_a_member_is_what_tarfile_reads(format: Literal[0, 1, 2], kind: bytes, name: str) -> None:
    given = tarfile.TarInfo(name)
    given.type, given.linkname = kind, "elsewhere" if kind == tarfile.SYMTYPE else ""
    for size in (0, 1, 13_704, 8**11 - 1, *([1 << 60] if format == tarfile.GNU_FORMAT else [])):
        given.size = size
        header = given.tobuf(format)[-tarfile.BLOCKSIZE :]
        plain, quick = (one.frombuf(header, "utf-8", "surrogateescape") for one in (tarfile.TarInfo, Member))
        for field in ("name", "size", "type", "chksum", "linkname"):
            assert getattr(quick, field) == getattr(plain, field)
        for at in (0, 124, 130, 150, 156, 345):
            damaged = bytearray(header)
            damaged[at] ^= 0x15
            with pytest.raises(tarfile.HeaderError):
                Member.frombuf(bytes(damaged), "utf-8", "surrogateescape")


def test_a_header_that_announces_more_than_there_is_does_not_hang(tmp_path: Path) -> None:
    """Found by fuzzing: tarfile skips a member block by block, at the end of the file, too."""
    path = pack(tmp_path / "a.tar.gz", LABELLED)
    tar = bytearray(gzip.decompress(path.read_bytes()))
    tar[124:136] = b"\x80" + (1 << 60).to_bytes(11, "big")
    tar[0:9] = b"aclImdb/x"
    tar[148:156] = b" " * 8
    tar[148:156] = b"%06o\0 " % sum(tar[:512])
    path.write_bytes(gzip.compress(bytes(tar)))
    with pytest.raises(ReviewError, match="is damaged"):
        read_archive(path)


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINKX_IMDB", str(tmp_path))
    with pytest.raises(ReviewError, match=re.escape(f"{str(tmp_path)!r} (PINKX_IMDB) is a folder; expected the file")):
        find_archive()
    with pytest.raises(ReviewError, match=r"nowhere\.tar\.gz' \(the given path\) does not exist"):
        find_archive(tmp_path / "nowhere.tar.gz")


def test_the_training_split_counts_as_published(imdb: Path) -> None:
    steps: list[tuple[int, int]] = []
    reviews = read_archive(imdb, "train", progress=lambda *step: steps.append(step))
    assert [review.label for review in reviews] == [False] * 12_500 + [True] * 12_500
    assert (reviews[0].name, reviews[-1].name) == ("train/neg/0_3", "train/pos/12499_7")
    counts = count_words(reviews)
    assert counts.total() == 5_817_135
    assert len(counts) == 92_866
    assert sum(count for _, count in counts.most_common(4000)) / counts.total() == pytest.approx(0.883, abs=5e-4)
    assert steps == sorted(steps)
    assert steps[-1] == (imdb.stat().st_size, imdb.stat().st_size)


def test_the_test_split_has_as_many_long_reviews_as_published(imdb: Path) -> None:
    reviews = read_archive(imdb, "test")
    assert [review.label for review in reviews] == [False] * 12_500 + [True] * 12_500
    assert sum(len(review.words) >= CUT for review in reviews) == 1871
