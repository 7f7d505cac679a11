"""Checkpoints: which there are, where each must lie, and whether what lies there is right.

Nothing here downloads anything. A checkpoint is a file or a folder under the weights folder
(``$CONCOURS_WEIGHTS``, or the user's data folder), put there by ``concours weights add`` or by
hand.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from concours.eval.cache import cache_folder, digest
from concours.eval.errors import UsageError

RECORD = ".sha256.json"
TOKENIZER = "roberta-base"
TOKENS = 50_265


@dataclass(frozen=True)
class Checkpoint:
    """One checkpoint. ``place`` is its file or folder, relative to the weights folder. ``size``
    and ``licence`` are what its page says; a size with "about" is estimated from the number of the
    model's parameters, and a licence that no page was seen to say is marked as unverified.
    ``published`` is the start of the sha256 that its makers publish, "" where none is known:
    then the hash is recorded when it is added, and checked from then on."""

    name: str
    embedding: str
    place: str
    source: str
    size: str
    licence: str
    published: str = ""
    needs: tuple[str, ...] = ()

    @property
    def is_folder(self) -> bool:
        return self.source.startswith("hf:")

    @property
    def hash_known(self) -> str:
        """What is known of its sha256 before it is there."""
        if self.published:
            return f"sha256 {self.published}…, published by its makers"
        return "no published sha256 is known; that of what you add is recorded"

    @property
    def command(self) -> str:
        """How to get it, in two shell commands."""
        if self.is_folder:
            repository = self.source.removeprefix("hf:")
            files = " vocab.json merges.txt tokenizer.json tokenizer_config.json config.json"
            only = files if self.name == TOKENIZER else ""
            get = f"hf download {repository}{only} --local-dir {self.name}"
            return f"{get} && concours weights add {self.name} {self.name}"
        file = Path(self.place).name
        if self.source.startswith("export:"):
            package = self.source.removeprefix("export:")
            return (
                f"export {package}'s model to {file} (ONNX; docs/audio.md says what it takes), "
                f"then concours weights add {self.name} {file}"
            )
        return f"curl -fLO {self.source} && concours weights add {self.name} {file}"


_LAION = "https://huggingface.co/lukewys/laion_clap/resolve/main"


def _laion(name: str, file: str, size: str) -> Checkpoint:
    return Checkpoint(
        name, f"clap:{name}", f"clap/{file}", f"{_LAION}/{file}", size, "CC0-1.0",
        needs=(TOKENIZER,),
    )  # fmt: skip


def _folder(name: str, embedding: str, repository: str, size: str, licence: str) -> Checkpoint:
    return Checkpoint(name, embedding, name, f"hf:{repository}", size, licence)


CHECKPOINTS = {
    c.name: c
    for c in (
        Checkpoint(
            "vggish", "vggish", "vggish/vggish-10086976.pth",
            "https://github.com/harritaylor/torchvggish/releases/download/v0.1/vggish-10086976.pth",
            "about 0.29 GB", "Apache-2.0", published="10086976",
        ),
        _laion("music", "music_audioset_epoch_15_esc_90.14.pt", "2.35 GB"),
        _laion("music-speech", "music_speech_audioset_epoch_15_esc_89.98.pt", "2.35 GB"),
        _laion("630k-fusion", "630k-audioset-fusion-best.pt", "1.86 GB"),
        _laion("630k", "630k-audioset-best.pt", "1.86 GB"),
        _folder("larger-music", "clap:larger-music", "laion/larger_clap_music", "0.78 GB",
                "Apache-2.0"),
        _folder(TOKENIZER, "", "FacebookAI/roberta-base", "3 MB", "MIT"),
        _folder("encodec", "encodec", "facebook/encodec_24khz", "93 MB", "MIT"),
        _folder("wav2vec2", "wav2vec2", "facebook/wav2vec2-base", "0.38 GB", "Apache-2.0"),
        _folder("hubert", "hubert", "facebook/hubert-base-ls960", "0.38 GB", "Apache-2.0"),
        _folder("wavlm", "wavlm", "microsoft/wavlm-base-plus", "0.38 GB",
                "MIT, says torchaudio; its model card names none"),
        _folder("ast", "ast", "MIT/ast-finetuned-audioset-10-10-0.4593", "about 0.35 GB",
                "BSD-3-Clause"),
        Checkpoint("passt", "passt", "passt/passt.onnx", "export:hear21passt",
                   "about 0.34 GB", "Apache-2.0, says the package"),
        Checkpoint("openl3", "openl3", "openl3/openl3.onnx", "export:openl3", "about 0.02 GB",
                   "code MIT; weights CC-BY-4.0 (unverified)"),
        _folder("mert", "mert", "m-a-p/MERT-v1-95M", "about 0.38 GB",
                "CC-BY-NC-4.0"),
    )
}  # fmt: skip


def weights_folder() -> Path:
    """``$CONCOURS_WEIGHTS``, or ``weights`` in the user's data folder."""
    from platformdirs import user_data_path

    given = os.environ.get("CONCOURS_WEIGHTS")
    return Path(given) if given else user_data_path("concours") / "weights"


def find_checkpoint(name: str) -> Checkpoint:
    """The checkpoint called ``name``.

    Raises:
        UsageError: there is none; the message names the nearest.
    """
    if name not in CHECKPOINTS:
        near = get_close_matches(name, CHECKPOINTS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(CHECKPOINTS)}"
        raise UsageError(f"no checkpoint is called {name!r}; {hint}")
    return CHECKPOINTS[name]


def place_of(name: str) -> Path:
    """Where the checkpoint must lie, whether or not it does."""
    return weights_folder() / find_checkpoint(name).place


def locate(name: str) -> Path:
    """The checkpoint's file or folder.

    Raises:
        UsageError: it is not there; the message says where it must lie and how to get it.
    """
    checkpoint, place = find_checkpoint(name), place_of(name)
    if not place.exists():
        raise UsageError(
            f"the checkpoint {name} ({checkpoint.size}, {checkpoint.licence}) is not at {place}; "
            f"get it with: {checkpoint.command}"
        )
    return place


def add(name: str, source: Path) -> Path:
    """Copies a checkpoint to its place, whole or not at all, and records its hash.

    Raises:
        UsageError: nothing at ``source``, a file where a folder belongs (or the reverse), a hash
            other than the published one, or an incomplete tokenizer.
    """
    checkpoint, place = find_checkpoint(name), place_of(name)
    if not source.exists():
        raise UsageError(f"{source}: nothing there; get it with: {checkpoint.command}")
    if source.is_dir() != checkpoint.is_folder:
        wanted = "folder" if checkpoint.is_folder else "file"
        raise UsageError(f"{source}: the checkpoint {name} is a {wanted}")
    _check_content(checkpoint, source)
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=place.parent) as folder:
        fresh = Path(folder, place.name)
        if source.is_dir():
            shutil.copytree(source, fresh)
        else:
            shutil.copyfile(source, fresh)
        if place.is_dir():
            shutil.rmtree(place)
        fresh.replace(place)
    record = _records()
    record[name] = content_hash(place)
    (weights_folder() / RECORD).write_text(json.dumps(record, indent=1, sort_keys=True))
    return place


def recorded(name: str) -> str | None:
    """The sha256 of what was added under this name, None where nothing was."""
    return _records().get(name)


def verify(name: str) -> str:
    """The checkpoint's sha256, where it is what it should be.

    Raises:
        UsageError: it is missing, its content has changed since it was added, its hash is not the
            published one, or its tokenizer is incomplete.
    """
    place = locate(name)
    found = content_hash(place)
    added = recorded(name)
    if added is not None and added != found:
        raise UsageError(
            f"the checkpoint {name} at {place} has changed since it was added (sha256 "
            f"{found[:12]}…, not {added[:12]}…); add it again"
        )
    _check_content(find_checkpoint(name), place)
    return found


def _check_content(checkpoint: Checkpoint, at: Path) -> None:
    if checkpoint.published and not content_hash(at).startswith(checkpoint.published):
        raise UsageError(
            f"{at}: its sha256 starts with {content_hash(at)[:8]}, and the published checkpoint's "
            f"with {checkpoint.published}; get it again with: {checkpoint.command}"
        )
    if checkpoint.name == TOKENIZER:
        check_tokenizer(at)


def check_tokenizer(folder: Path) -> None:
    """Refuses a folder that does not hold the whole RoBERTa tokenizer.

    transformers makes an empty tokenizer of an empty folder, and every prompt then has the same
    tokens.

    Raises:
        UsageError: files are missing or hold another number of tokens.
    """
    complete = f"get it with: {CHECKPOINTS[TOKENIZER].command}"
    vocabulary, merges = folder / "vocab.json", folder / "merges.txt"
    if not vocabulary.is_file() or not merges.is_file():
        raise UsageError(
            f"{folder}: vocab.json and merges.txt of {TOKENIZER} belong here; {complete}"
        )
    try:
        count = len(json.loads(vocabulary.read_text(encoding="utf-8")))
    except ValueError as error:
        raise UsageError(f"{vocabulary}: no JSON ({error}); {complete}") from error
    if count != TOKENS:
        raise UsageError(f"{vocabulary}: {count} tokens instead of {TOKENS}; {complete}")


def content_hash(place: Path) -> str:
    """The sha256 of a file, or of the names and hashes of a folder's files.

    Computed once for a file of one size and time of change.
    """
    if place.is_dir():
        files = sorted(f for f in place.rglob("*") if f.is_file() and not f.name.startswith("."))
        parts = [[f.relative_to(place).as_posix(), content_hash(f)] for f in files]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    state = place.stat()
    key = digest(str(place.absolute()), state.st_size, state.st_mtime_ns)
    kept = cache_folder() / "weight-hashes" / key
    if kept.is_file():
        return kept.read_text()
    with place.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    kept.parent.mkdir(parents=True, exist_ok=True)
    fresh = kept.with_name(f".{key}-{os.getpid()}")
    fresh.write_text(found)
    fresh.replace(kept)
    return found


def _records() -> dict[str, str]:
    try:
        found = json.loads((weights_folder() / RECORD).read_text())
    except (OSError, ValueError):
        return {}
    return {str(k): str(v) for k, v in found.items()}
