"""Small archives with the layout of the IMDb archive."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

LABELLED = {
    "aclImdb/README": "about the data",
    "aclImdb/train/pos/0_9.txt": "train, good",
    "aclImdb/train/neg/0_3.txt": "train, bad",
    "aclImdb/test/pos/10_7.txt": "fine",
    "aclImdb/test/pos/9_10.txt": "wonderful",
    "aclImdb/test/neg/2_1.txt": "worst",
    "aclImdb/test/urls_pos.txt": "http://example.org",
}
OFFICIAL = LABELLED | {"aclImdb/train/unsup/1_0.txt": "who knows", "aclImdb/train/unsup/0_0.txt": "who cares"}


def pack(path: Path, texts: Mapping[str, str | bytes]) -> Path:
    """Write an archive that holds these texts."""
    with tarfile.open(path, "w:gz") as tar:
        for name, text in texts.items():
            data = text.encode() if isinstance(text, str) else text
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path
