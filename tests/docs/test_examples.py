"""Every example of the pages runs, every command they show exists, and every link leads somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from onedial.runtime.config import load_config

ROOT = Path(__file__).parents[2]
PAGES = sorted({ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")})


def named(path):
    return path.relative_to(ROOT).as_posix()


def text_of(page):
    """The page without its comments."""
    return re.sub(r"<!--.*?-->", "", page.read_text(), flags=re.DOTALL)


def fenced(kind):
    """Every block of a kind, with the page it is on."""
    found = [(named(p), block) for p in PAGES for block in re.findall(rf"^```{kind}\n(.*?)^```", text_of(p), re.DOTALL | re.MULTILINE)]
    return [pytest.param(block, id=f"{page}-{i}") for i, (page, block) in enumerate(found)]


def commands(program):
    """What follows a program's name in console blocks, comments cut off."""
    lines = (line for block in fenced("console") for line in block.values[0].splitlines() if line.startswith(f"$ {program} "))
    return sorted({re.split(r"\s+#", line)[0].removeprefix(f"$ {program} ") for line in lines})


def run(arguments, folder):
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "COLUMNS": "120"}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=found, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("example", fenced("python"))
def test_an_example_runs_as_it_stands(example, tmp_path):
    done = run(["-c", example], tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("example", fenced("toml"))
def test_a_configuration_that_is_shown_is_accepted(example, tmp_path):
    (tmp_path / "onedial.toml").write_text(example)
    found = load_config(tmp_path / "onedial.toml")
    assert found.models or found.methods or found.serve.keys


@pytest.mark.parametrize("command", commands("onedial"))
def test_a_command_that_is_shown_exists_with_its_options(command, tmp_path):
    name, options = command.split()[0], set(re.findall(r"\s(--[a-z-]+)", command))
    done = run(["-c", "from onedial.apps.cli import main; main()", name, "--help"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert {o for o in options if o not in done.stdout} == set()


@pytest.mark.parametrize("target", commands("make"))
def test_a_make_target_that_is_shown_exists(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_link_to_a_file_leads_to_one(page):
    links = re.findall(r"\]\(([^)#]+)", text_of(page))
    assert [x for x in links if "://" not in x and not (page.parent / x).exists()] == []


def test_the_file_tree_names_every_room():
    rooms = {p.name for p in (ROOT / "src" / "onedial").iterdir() if (p / "__init__.py").exists()}
    shown = set(re.findall(r"^  (\w+)/ ", text_of(ROOT / "README.md"), re.MULTILINE))
    assert rooms <= shown
