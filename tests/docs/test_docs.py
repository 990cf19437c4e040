"""The documentation says what the program does."""

import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_command_line_page_is_up_to_date():
    """docs/cli.md is what docs/generate_cli.py renders from the commands."""
    spec = importlib.util.spec_from_file_location("generate_cli", ROOT / "docs" / "generate_cli.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs" / "cli.md").read_text() == module.render()


def test_the_readme_shows_the_two_commands_and_its_links_exist():
    """`make audit` and `make test`, and no dead link to a file."""
    text = (ROOT / "README.md").read_text()
    assert "make audit" in text
    assert "make test" in text
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert target.startswith("http") or (ROOT / target).exists(), target


def test_every_room_says_what_lives_there():
    """Each room's package has a docstring and a section in docs/rooms.md."""
    rooms = (ROOT / "docs" / "rooms.md").read_text()
    for package in sorted((ROOT / "src" / "dokimasia").glob("*/__init__.py")):
        assert package.read_text().startswith('"""')
        assert package.parent.name in rooms


def test_every_exit_code_is_documented():
    """The codes of the error tree stand in the README and in the first help screen."""
    from dokimasia.cli.app import app
    from dokimasia.core import errors

    codes = {str(value.exit_code) for value in vars(errors).values() if isinstance(value, type)} - {"1"}
    readme = (ROOT / "README.md").read_text()
    for code in codes:
        assert f"| {code} |" in readme
        assert f" {code} " in app.info.help
