"""Step 8: everything a verdict rests on, in one file, verified offline; one flipped byte, and verification names it."""

from tenure.cli.quickstart.contract import CHECKPOINT, PUBLIC_KEY
from tenure.cli.quickstart.outcome import NOT_VERIFIED, VERIFIED, VERIFIED_WITH_GAPS, of_proof
from tenure.cli.quickstart.stage import Stage

ANY = (VERIFIED, NOT_VERIFIED, VERIFIED_WITH_GAPS)


def prove(stage: Stage, name: str) -> None:
    """Export, verify against the checkpoint of the day of acceptance, flip, verify."""
    stage.heading("Prove", "For someone who does not trust us: a file, a key and a checkpoint from day one, no server.")
    bundle = stage.folder / "bundle.jsonl"
    trusted = ("--public-key", stage.folder / PUBLIC_KEY, "--checkpoint", stage.folder / CHECKPOINT)
    stage.run("evidence", "export", name, "--to", bundle)
    verified = stage.run("evidence", "verify", bundle, *trusted, expect=ANY)
    data = bytearray(bundle.read_bytes())
    position = len(data) * 2 // 3
    data[position] ^= 1
    flipped = stage.folder / "flipped.jsonl"
    flipped.write_bytes(data)
    stage.say(f"[dim]One bit of byte {position} is flipped:[/]")
    found = stage.run("evidence", "verify", flipped, *trusted, expect=ANY)
    stage.outcomes.append(of_proof(verified, found))
