"""Every error that leaves this room has a code in the one table, and says what to do."""

import re
from pathlib import Path

import tenure.evidence
from tenure.evidence import EvidenceError
from tenure.resources.reasons import BY_CODE


def test_every_code_is_in_the_table_of_reasons():
    folder = Path(tenure.evidence.__file__).parent
    text = "".join(file.read_text() for file in folder.glob("*.py"))
    codes = {kind.code for kind in EvidenceError.__subclasses__()} | {EvidenceError.code}
    codes |= set(re.findall(r'code="(\w+)"', text))
    assert sorted(codes - set(BY_CODE)) == []
    assert all(BY_CODE[code].next_step for code in codes)
