"""Every command of a page is found, so that none can be added without being run."""

import pytest

from support.documented import _scripts


def commands(*lines: str) -> list[tuple[str, ...]]:
    """Return the commands of each script of a page."""
    return [script.commands for script in _scripts("page.md", "\n".join(lines))]


def test_a_shell_block_is_one_script() -> None:
    """A variable that one line sets is known to the next; a continued line is one command."""
    page = ("```sh", "# comment", "export A=1   # why", "", "kubectl get \\", "  pods", "```")
    assert commands(*page) == [("export A=1   # why", "kubectl get   pods")]


def test_a_console_block_shows_what_is_printed() -> None:
    """Each prompt is a script of its own."""
    page = "```console\n$ date\nMon\n$ kubectl version\nv1\nv2\n```"
    found = [(script.commands, script.output) for script in _scripts("page.md", page)]
    assert found == [(("date",), "Mon"), (("kubectl version",), "v1\nv2")]


def test_inline_code_with_a_program_and_an_argument_is_a_command() -> None:
    """A program's name alone is not."""
    assert commands("Use `make` or `kubectl get pods`, `spec.target` and `make test`.") == [
        ("kubectl get pods",),
        ("make test",),
    ]


def test_a_variable_in_the_section_of_a_target_is_a_command() -> None:
    """Elsewhere it is a setting."""
    page = ("`ARGS=1`", "## `make chaos`", '(`ARGS="--speed 1"`)')
    assert commands(*page) == [("make chaos",), ('make chaos ARGS="--speed 1"',)]


@pytest.mark.parametrize("language", ["", "bash", "shell"])
def test_a_block_whose_language_is_not_known_is_refused(language: str) -> None:
    """Its commands would not be found."""
    with pytest.raises(ValueError, match=r"page.md:1: name the block's language"):
        commands(f"```{language}", "kubectl delete everything", "```")
