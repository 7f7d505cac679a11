"""The documentation names exactly what exists: commands, options, metrics, pages."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from concours.eval.cli import COMMANDS, SUMMARIES, cli

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _commands() -> dict[str, click.Command]:
    """Every command by its words: ``run``, ``study create`` …"""
    found: dict[str, click.Command] = {}
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None, name
        if isinstance(command, click.Group):
            for sub in command.list_commands(context):
                inner = command.get_command(context, sub)
                assert inner is not None
                found[f"{name} {sub}"] = inner
        else:
            found[name] = command
    return found


def _options(command: click.Command) -> set[str]:
    return {
        o
        for p in command.params
        if isinstance(p, click.Option) and not p.hidden
        for o in p.opts
        if o.startswith("--") and o != "--help"
    }


def _sections() -> dict[str, str]:
    """The text under each ``## concours NAME …`` heading of the pages."""
    found = {}
    for page in PAGES:
        parts = re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for part in parts[1:]:
            heading, _, body = part.partition("\n")
            words = re.match(r"concours ((?:[a-z]+ ?)+)", heading)
            if words:
                found[words[1].strip()] = body
    return found


@pytest.mark.parametrize("name", sorted(_commands()))
def test_every_command_and_option_is_documented_and_exists(name: str) -> None:
    sections = _sections()
    assert name in sections, f"no page has a section '## concours {name}'"
    command = _commands()[name]
    documented = set(re.findall(r"`(--[a-z-]+)", sections[name]))
    assert documented == _options(command)


def test_every_documented_command_exists() -> None:
    assert set(_sections()) == set(_commands())


@pytest.mark.parametrize("name", sorted(_commands()))
def test_every_command_and_option_has_help(name: str) -> None:
    command = _commands()[name]
    assert command.help
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.help or isinstance(option.type, click.Choice), option.name


def test_the_summaries_are_those_of_our_commands() -> None:
    assert set(SUMMARIES) == set(COMMANDS)
    help_text = CliRunner().invoke(cli, ["--help"]).output
    assert all(summary.split()[0] in help_text for summary in SUMMARIES.values())


def test_the_page_of_metrics_is_the_catalogue() -> None:
    written = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    printed = CliRunner().invoke(cli, ["metrics", "--format", "md"]).output
    assert written == printed, "run: concours metrics --format md > docs/metrics.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_between_pages_hold(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_commands_in_the_text_exist(page: Path) -> None:
    """``concours WORD --option`` anywhere, in code or in prose."""
    for code in re.findall(r"`([^`\n]*concours [^`\n]*)`", page.read_text(encoding="utf-8")):
        words = code[code.index("concours ") :].split()
        name = next((n for n in _commands() if words[1 : 1 + len(n.split())] == n.split()), None)
        if name is None:
            assert words[1].startswith("--") or words[1] == "study", code
            continue
        used = {w.split("=")[0] for w in words if w.startswith("--")} - {"--help"}
        assert used <= _options(_commands()[name]), code


def test_every_parameter_written_in_the_text_is_accepted() -> None:
    from concours.metrics.registry import catalogue, request

    for page in PAGES:
        for code in re.findall(r"`([a-z_]+:[a-z_]+=[^`\s]+)`", page.read_text(encoding="utf-8")):
            if code.partition(":")[0] in catalogue():
                request(code)
