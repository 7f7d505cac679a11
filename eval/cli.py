"""The command line: a table of commands, each loaded only when it is called.

Commands of ours are listed here; other packages (and the listening test) join through the
entry-point group ``concours.commands``, each entry point naming a Click command.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

import click

COMMANDS = {
    "run": "concours.eval.commands.run",
    "score": "concours.eval.commands.score",
    "report": "concours.eval.commands.report",
    "publish": "concours.eval.commands.publish",
    "compare": "concours.eval.commands.compare",
    "trust": "concours.eval.commands.trust",
    "metrics": "concours.eval.commands.metrics",
    "originality": "concours.eval.commands.originality",
    "index": "concours.eval.commands.index",
    "weights": "concours.eval.commands.weights",
    "doctor": "concours.eval.commands.doctor",
    "schema": "concours.eval.commands.schema",
}
SUMMARIES = {
    "run": "Run the benchmarks of a config, or take up where it stopped.",
    "score": "Score files or folders without a config.",
    "report": "Print or write the leaderboard of the latest run.",
    "publish": "Write a static site of all runs with their history.",
    "compare": "Compare two systems or runs, and gate on the difference.",
    "trust": "Say how far each metric can be trusted.",
    "metrics": "List the metrics, or explain one.",
    "originality": "Show which passages a system shares with a corpus, and where.",
    "index": "Build or describe the index of a corpus.",
    "weights": "List, add and verify the checkpoints of embeddings.",
    "doctor": "Check the installation.",
    "schema": "Print the JSON Schema of benchmarks.yaml.",
}
ENTRY_POINT_GROUP = "concours.commands"


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is called, not for ``--help``."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [*COMMANDS, *sorted(self._plugins())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name in COMMANDS:
            command = getattr(import_module(COMMANDS[cmd_name]), "command", None)
        else:
            entry = self._plugins().get(cmd_name)
            command = entry.load() if entry else None
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = list(SUMMARIES.items())
        for name in sorted(self._plugins()):
            command = self.get_command(ctx, name)
            if command is not None:
                rows.append((name, command.get_short_help_str()))
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        from difflib import get_close_matches

        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], self.list_commands(ctx), n=1)
            if not near:
                raise
            raise click.UsageError(f"{error.message} Did you mean {near[0]}?", ctx) from error

    @staticmethod
    def _plugins() -> dict[str, EntryPoint]:
        return {e.name: e for e in entry_points(group=ENTRY_POINT_GROUP) if e.name not in COMMANDS}


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 a gate or failure budget exceeded, 2 bad usage or config.",
)
@click.version_option(package_name="concours", message="concours %(version)s")
def cli() -> None:
    """Concours evaluates AI-generated music: metrics, listening tests, leaderboards."""


def main() -> None:
    """The entry point ``concours``: errors of ours become a line and exit code 2."""
    from concours.eval.errors import ConcoursError
    from concours.metrics.registry import MetricError

    try:
        cli()
    except (ConcoursError, MetricError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
    except BrokenPipeError:
        # the reader of our output has gone, as `| head` does
        sys.stderr.close()
        sys.exit(0)


if __name__ == "__main__":
    main()
