"""Processes as /proc tells them (proc(5)). Small on purpose: supervisors import it."""

from __future__ import annotations

import os


def boot_id() -> str:
    """The kernel's random id of this boot."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def _read(path: str) -> bytes:
    """A whole file, without what `open` wraps it in: a look at every process reads hundreds of them."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        content = b""
        while more := os.read(descriptor, 1 << 16):
            content += more
        return content
    finally:
        os.close(descriptor)


def stat_fields(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the third (state) on, or None where there is no such process.

    The second field is the command in parentheses and may hold spaces and parentheses itself.
    """
    try:
        content = _read(f"/proc/{pid}/stat")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return content[content.rindex(b")") + 2 :].decode("ascii").split()


def start_ticks(pid: int) -> int | None:
    """Start time in clock ticks since boot (field 22), or None where the process is gone or only a zombie."""
    fields = stat_fields(pid)
    if fields is None or fields[0] in "ZX":
        return None
    return int(fields[19])


def identity(pid: int, boot: str) -> dict[str, object] | None:
    """What tells this process from every other one, for the record; None where it is gone."""
    ticks = start_ticks(pid)
    return None if ticks is None else {"pid": pid, "start_ticks": ticks, "boot_id": boot}


def is_alive(record: dict[str, object] | None, boot: str) -> bool:
    """Whether the very process of `record` still runs: same boot, same pid, same start time."""
    if record is None or record.get("boot_id") != boot:
        return False
    return start_ticks(int(str(record["pid"]))) == record["start_ticks"]


def open_process(record: dict[str, object] | None, boot: str) -> int | None:
    """A pidfd of the very process of `record`; None where it is gone. Opened before it is compared: whatever gets its
    number later is not what the descriptor means."""
    if record is None:
        return None
    try:
        descriptor = os.pidfd_open(int(str(record["pid"])))
    except ProcessLookupError:
        return None
    if is_alive(record, boot):
        return descriptor
    os.close(descriptor)
    return None


def pids() -> list[int]:
    """Every process now."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def thread_ids(pid: int) -> list[int]:
    """Threads of a process; none where it is gone."""
    try:
        return [int(name) for name in os.listdir(f"/proc/{pid}/task")]
    except (FileNotFoundError, ProcessLookupError):
        return []


def environment_has(pid: int, entry: bytes) -> bool:
    """Whether the process was started with this NAME=value. False where that may not be read."""
    return entry in environment(pid, entry)


def environment(pid: int, holding: bytes) -> list[bytes]:
    """What the process was started with, as NAME=value; nothing where this is not in it, or it may not be read."""
    try:
        content = _read(f"/proc/{pid}/environ")
    except OSError:
        return []
    return content.split(b"\0") if holding in content else []


def parse_list(text: str) -> list[int]:
    """CPUs or nodes of the kernel's list form, `0-3,8` (cpuset(7))."""
    numbers: list[int] = []
    for part in text.strip().split(","):
        if part:
            first, _, last = part.partition("-")
            numbers.extend(range(int(first), int(last or first) + 1))
    return numbers


def format_list(numbers: list[int]) -> str:
    """The kernel's list form of CPUs or nodes."""
    return ",".join(str(number) for number in sorted(set(numbers)))


def pin_threads(members: list[int], cpus: list[int]) -> None:
    """Set the affinity of every thread of `members`, again until no new thread shows up."""
    seen: set[int] = set()
    for _ in range(100):
        fresh = {thread for pid in members for thread in thread_ids(pid)} - seen
        if not fresh:
            return
        for thread in fresh:
            try:
                os.sched_setaffinity(thread, cpus)
            except ProcessLookupError:
                continue
        seen |= fresh
