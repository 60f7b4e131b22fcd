"""Write docs/requirements.md anew."""

from pathlib import Path

from tests.requirements.rows import document

if __name__ == "__main__":
    Path("docs/requirements.md").write_text(document())
