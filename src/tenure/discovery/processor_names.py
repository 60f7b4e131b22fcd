"""Names of Arm core designs, which the processor itself tells only as numbers.

Source: the Main ID Register's implementer and part numbers, as in each core's technical reference manual.
"""

from __future__ import annotations

_ARM = {
    0xD03: "Cortex-A53",
    0xD05: "Cortex-A55",
    0xD07: "Cortex-A57",
    0xD08: "Cortex-A72",
    0xD09: "Cortex-A73",
    0xD0A: "Cortex-A75",
    0xD0B: "Cortex-A76",
    0xD0C: "Neoverse N1",
    0xD0D: "Cortex-A77",
    0xD40: "Neoverse V1",
    0xD41: "Cortex-A78",
    0xD44: "Cortex-X1",
    0xD46: "Cortex-A510",
    0xD47: "Cortex-A710",
    0xD48: "Cortex-X2",
    0xD49: "Neoverse N2",
    0xD4D: "Cortex-A715",
    0xD4E: "Cortex-X3",
    0xD4F: "Neoverse V2",
    0xD80: "Cortex-A520",
    0xD81: "Cortex-A720",
    0xD82: "Cortex-X4",
    0xD83: "Neoverse V3AE",
    0xD84: "Neoverse V3",
    0xD85: "Cortex-X925",
    0xD87: "Cortex-A725",
    0xD8E: "Neoverse N3",
}

_DESIGNS = {
    0x41: _ARM,
    0xC0: {0xAC3: "Ampere-1", 0xAC4: "Ampere-1A"},
    0x46: {0x001: "A64FX"},
    0x48: {0xD01: "TaiShan v110"},
    0x4E: {0x004: "Carmel"},
}


def arm_core_name(implementer: str, part: str) -> str:
    """The design of an Arm core from two hexadecimal numbers; empty when this table has none."""
    try:
        return _DESIGNS.get(int(implementer, 16), {}).get(int(part, 16), "")
    except ValueError:
        return ""
