"""Values as YAML that every reader takes for the same."""

from functools import cache
from typing import Any

import yaml

from tenure.resources.plain_yaml import scalar


def yaml_text(value: Any) -> str:
    """A value as YAML that reads back equal, here and with kubectl."""
    return str(yaml.dump(value, Dumper=_dumper(), sort_keys=False, allow_unicode=True, width=110))


@cache
def _dumper() -> Any:
    base: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

    class PlainDumper(base):  # type: ignore[misc]
        """Quotes every text that a reader might take for something else, and repeats instead of aliasing."""

        def ignore_aliases(self, _: Any) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        style = "|" if "\n" in value else "'" if _looks_odd(value) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    PlainDumper.add_representer(str, text)
    return PlainDumper


def _looks_odd(value: str) -> bool:
    """Whether some reader of YAML 1.1 or 1.2 takes this text for a number, a truth or nothing."""
    if not isinstance(scalar(value), str):
        return True
    body = value.lstrip("+-")
    return body[:2].lower() in ("0o", "0x", "0b") or body.replace("_", "").replace(":", "").isdigit()
