"""``pinkx measure``: both papers, reproduced; each paper's module is imported when it is wanted."""

from __future__ import annotations

from importlib import import_module

import click

# Each is `command` in the module of its name in explorer.measure.
PAPERS = {
    "one-over-f": "1/f noise in LSTM networks (Chong & Ling 2024).",
    "fixed-points": "Fixed points of recurrent networks (Cheng, Schmid & Lange 2020).",
}


class Papers(click.Group):
    """The papers of the table, each imported when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(PAPERS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in PAPERS:
            return None
        command: click.Command = import_module(f"explorer.measure.{cmd_name.replace('-', '_')}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Papers"):
            formatter.write_dl(list(PAPERS.items()))


@click.group(cls=Papers, subcommand_metavar="PAPER …")
def command() -> None:
    """Remake every table and figure of a paper from trained networks: numbers, figures and one page to read."""
