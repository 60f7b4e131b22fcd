"""Step 8: everything a verdict rests on, in one file, verified offline; one flipped byte, and verification names it."""

from tenure.cli.quickstart.stage import Stage

HOLDS, FAILS, HOLDS_WITH_GAPS = 0, 1, 7


def prove(stage: Stage, name: str) -> None:
    """Export, verify, flip, verify."""
    stage.heading("Prove", "For someone who does not trust us: one file, one public key, no server.")
    bundle, key = stage.folder / "bundle.jsonl", stage.folder / "public.pem"
    stage.run("evidence", "export", name, "--to", bundle)
    stage.type("tenure", "evidence", "show", "--public-key", ">", key)
    key.write_text(stage.text("evidence", "show", "--public-key"))
    stage.run("evidence", "verify", bundle, "--public-key", key, expect=(HOLDS, HOLDS_WITH_GAPS))
    data = bytearray(bundle.read_bytes())
    position = len(data) * 2 // 3
    data[position] ^= 1
    flipped = stage.folder / "flipped.jsonl"
    flipped.write_bytes(data)
    stage.say(f"[dim]One bit of byte {position} is flipped:[/]")
    stage.run("evidence", "verify", flipped, "--public-key", key, expect=(FAILS,))
