"""Windows whose record is larger than the log keeps in one piece: stated as unverifiable, with a small record. Pure.

Left out, such a window would hold back every later one for good; cut down, its record would prove something else than
was seen. So it says what could not be kept, and the same judge makes the same verdict of it.
"""

from dataclasses import replace

from tenure.promises import Finding, Reason, Verdict, View, WindowEvidence, WindowVerdict


def too_large(verdict: WindowVerdict, evidence: WindowEvidence, bytes: int) -> tuple[WindowVerdict, WindowEvidence]:
    """The verdict on a window whose record takes so many bytes, and what it then rests on.

    More load than was declared stays its user's doing: else whoever sends enough would earn the credit.
    """
    reason = Reason.LOAD_ABOVE_DECLARED if verdict.reason is Reason.LOAD_ABOVE_DECLARED else Reason.EVIDENCE_TOO_LARGE
    finding = Finding(View.TAP, reason, f"{len(evidence.requests)} requests take {bytes} bytes, more than one record")
    small = replace(
        evidence,
        requests=(),
        carried=(),
        arrivals_before=(),
        probes=(),
        recent_probes=(),
        probes_pending=0,
        counters=None,
        findings=(finding,),
    )
    detail = f"{finding.view}: {finding.detail}"
    said = replace(
        verdict, verdict=Verdict.UNVERIFIABLE, reason=reason, detail=detail, observed=None, requests=len(small.requests)
    )
    return said, small
