"""A click group of ten lines."""

import click


@click.group()
def main() -> None:
    """A group."""


@main.command()
def work() -> None:
    """A command."""


main()
