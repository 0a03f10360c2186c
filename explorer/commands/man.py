"""``pinkx man``: the manual page, made from the command line's own help."""

from __future__ import annotations

from collections.abc import Iterator

import click


@click.command
@click.pass_context
def command(context: click.Context) -> None:
    """Print the manual page in man format.

    Install it with: pinkx man > ~/.local/share/man/man1/pinkx.1
    """
    click.echo(page(context.find_root().command), nl=False)


def page(root: click.Command) -> str:
    """Return the manual page of a command and of all its verbs."""
    from importlib.metadata import version

    lines = [f'.TH PINKX 1 "" "pinkx {version("pinkx")}" "User commands"', ".SH NAME", "pinkx \\- watch a trained "
             "recurrent network read", ".SH SYNOPSIS", ".B pinkx", "VERB [OPTION ...] [ARGUMENT ...]"]  # fmt: skip
    with click.Context(root, info_name="pinkx") as context:
        lines += [".SH DESCRIPTION", *_text(root.help), *_options(root, context), ".SH VERBS", *_verbs(root, context)]
    lines += [".SH ENVIRONMENT", ".TP", ".B NO_COLOR", "Draw the terminal front end without colours."]
    return "\n".join(lines) + "\n"


def _verbs(group: click.Command, context: click.Context) -> Iterator[str]:
    if not isinstance(group, click.Group):
        return
    for name in group.list_commands(context):
        verb = group.get_command(context, name)
        assert verb is not None, "a group has the commands that it lists"
        with click.Context(verb, info_name=name, parent=context) as own:
            yield from (f".SS {_escaped(own.command_path)}", ".B " + _escaped(own.command_path))
            yield _escaped(" ".join(verb.collect_usage_pieces(own)))
            yield ".PP"
            yield from _text(verb.help)
            yield from _options(verb, own)
            yield from _verbs(verb, own)


def _options(command: click.Command, context: click.Context) -> Iterator[str]:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            yield from (".TP", f".B {_escaped(record[0])}", *_text(record[1]))


def _text(text: str | None) -> Iterator[str]:
    for paragraph in (text or "").split("\n\n"):
        yield _escaped(" ".join(paragraph.split()))
        yield ".PP"


def _escaped(text: str) -> str:
    """Return text for a line that does not begin with a request of man."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
