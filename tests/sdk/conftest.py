from tests.cli.conftest import live_home, shell

__all__ = ["live_home", "shell"]
