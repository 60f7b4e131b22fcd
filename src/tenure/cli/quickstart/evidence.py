"""Step 8: everything a verdict rests on, in one file, verified offline; one flipped byte, and verification names it."""

from tenure.cli.quickstart.stage import Stage

FAILS = 1


def prove(stage: Stage, name: str) -> None:
    """Export, verify, flip, verify."""
    stage.heading("Prove", "For someone who does not trust us: one file, one public key, no server.")
    bundle = stage.folder / "bundle.jsonl"
    key = stage.folder / "public.pem"
    stage.run("evidence", "export", name, "--file", bundle, "--public-key", key)
    stage.run("evidence", "verify", bundle, "--public-key", key)
    data = bytearray(bundle.read_bytes())
    position = len(data) * 2 // 3
    data[position] ^= 1
    flipped = stage.folder / "flipped.jsonl"
    flipped.write_bytes(data)
    stage.say(f"[dim]One bit of byte {position} is flipped:[/]")
    stage.run("evidence", "verify", flipped, "--public-key", key, expect=(FAILS,))
