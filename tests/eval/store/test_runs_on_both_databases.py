"""A whole benchmark gives the same report on SQLite and on PostgreSQL."""

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from concours.eval.cli import cli

CONFIG = """\
store: {url}
references: {{corpus: {{path: corpus}}}}
systems: {{mine: {{path: mine}}}}
benchmarks:
  small:
    reference: corpus
    systems: [mine]
    metrics: [pitch, originality, distribution]
    resamples: 100
"""


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def rows(folder: Path, name: str, url: str) -> list[dict[str, object]]:
    file = folder / f"{name}.yaml"
    file.write_text(CONFIG.format(url=url))
    invoke("run", str(file), "--no-html", "--quiet", "--workers", "1")
    assert "to compute: 0 items" in invoke("run", str(file), "--plan")
    found = json.loads(invoke("report", str(file), "--format", "json"))
    table: list[dict[str, object]] = found["benchmarks"][0]["rows"]
    return table


def test_the_same_rows(
    tmp_path: Path, store_url: str, more_music: Callable[[Path, range], Path]
) -> None:
    more_music(tmp_path / "corpus", range(8))
    mine = more_music(tmp_path / "mine", range(100, 105))
    (mine / "broken.mid").write_bytes(b"MThd")
    found = rows(tmp_path, "here", store_url)
    assert found
    assert found == rows(tmp_path, "there", "sqlite:///there.db")
