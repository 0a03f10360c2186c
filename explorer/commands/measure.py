"""``pinkx measure``: reproduce a paper; each paper's module is imported on first use."""

from __future__ import annotations

from importlib import import_module

import click

# Each is `command` in the package or module of the same name in explorer.measure.
PAPERS = {
    "one-over-f": "1/f noise in LSTM networks (Chong & Ling 2024).",
    "fixed-points": "Fixed points of recurrent networks (Cheng, Schmid & Lange 2021).",
    "sweep": "Every network of `pinkx train --grid`: β, dead cells and fixed points, in one table.",
    "ingredients": "What single ingredients of the published recipe do to 1/f noise.",
    "reviews": "β, accuracy and dead cells of networks on your own reviews, also by the million.",
}


class Papers(click.Group):
    """The papers of the table, each imported on first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(PAPERS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in PAPERS:
            return None
        command: click.Command = import_module(f"explorer.measure.{cmd_name.replace('-', '_')}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Studies"):
            formatter.write_dl(list(PAPERS.items()))


@click.group(cls=Papers, subcommand_metavar="STUDY …")
def command() -> None:
    """Reproduce a paper's tables and figures from trained networks, or measure networks on your own reviews.

    Each study of a paper decides which of its claims hold, and writes a report (index.html), its figures, and all
    numbers as JSON and CSV.
    """
