import json
from pathlib import Path

from click.testing import CliRunner

from concours.eval.cli import cli


def call(*arguments: str | Path) -> str:
    result = CliRunner().invoke(cli, [str(a) for a in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def files(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def test_every_complete_run_is_published(benchmark_file: Path, tmp_path: Path) -> None:
    call("run", benchmark_file, "--no-html", "--quiet", "--workers", "1")
    (benchmark_file.parent / "mine/003x.mid").write_bytes(
        (benchmark_file.parent / "corpus/004.mid").read_bytes()
    )
    call("run", benchmark_file, "--no-html", "--quiet", "--workers", "1")
    site = tmp_path / "site"
    call("publish", site, benchmark_file, "--title", "Walkers", "--audio", "none")
    written = files(site)
    runs = sorted(name.split("/")[0] for name in written if name.endswith("report.json"))
    assert len(runs) == 2
    front = written["index.html"].decode()
    assert "Walkers" in front
    assert all(f'href="{name}/index.html"' in front for name in runs)
    reports = [json.loads(written[f"{name}/report.json"]) for name in runs]
    counts = {len(r["benchmarks"][0]["systems"][1]["items"]) for r in reports}
    assert counts == {8, 9}
    call("publish", tmp_path / "again", benchmark_file, "--title", "Walkers", "--audio", "none")
    assert files(tmp_path / "again") == written


def test_nothing_to_publish_is_an_error(benchmark_file: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["publish", str(tmp_path / "site"), str(benchmark_file)])
    assert result.exit_code != 0
    assert not (tmp_path / "site").exists()
