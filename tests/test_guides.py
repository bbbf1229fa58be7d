"""The guides: what they link to is there, and every picture is one that the script takes, of a size that loads fast."""

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
PAGES = ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The headings of a page as its viewer names them in addresses."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in HEADING.findall(page.read_text())}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_page_leads_somewhere(name: str) -> None:
    page = ROOT / name
    broken = []
    for target in LINK.findall(page.read_text()):
        path, _hash, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not target.startswith("https://") and (not file.exists() or (anchor and anchor not in anchors(file))):
            broken.append(target)
    assert broken == []


def test_the_pictures_are_those_of_the_script_and_each_is_shown() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "screenshots.py"))
    taken = {f"{picture.file}.png" for picture in script["PICTURES"]}
    texts = "".join((ROOT / name).read_text() for name in ("README.md", "docs/guide-managers.md", "docs/guide-reps.md"))
    assert {path.name for path in IMAGES.iterdir()} == taken
    assert set(re.findall(r"images/([\w-]+\.png)\)", texts)) == taken
    assert [path.name for path in IMAGES.iterdir() if path.stat().st_size > 160_000] == []


@pytest.mark.parametrize("name", ["README.md", "docs/guide-managers.md", "docs/guide-reps.md"])
def test_every_picture_says_in_words_what_it_shows(name: str) -> None:
    assert [alt for alt in re.findall(r"!\[([^\]]*)\]", (ROOT / name).read_text()) if len(alt) < 20] == []


def test_the_index_of_decisions_names_every_record_in_order() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(path.name for path in folder.glob("0*.md"))
    assert re.findall(r"\]\((0[\w-]+\.md)\)", (folder / "README.md").read_text()) == records
