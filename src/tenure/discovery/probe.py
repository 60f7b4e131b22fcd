"""Trying a limit where it harms nothing: in an empty control group, in a network namespace of a thread's own.

This is the one place of discovery that writes. A probe group holds no process and is removed at once; the namespace
vanishes with the thread.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

PROBE = "tenure-probe"

# Numbers of the kernel's interfaces, from linux/sched.h, linux/rtnetlink.h, linux/netlink.h and linux/pkt_sched.h.
CLONE_NEWNET = 0x40000000
RTM_NEWQDISC = 36
NLM_F_REQUEST, NLM_F_ACK, NLM_F_EXCL, NLM_F_CREATE = 0x1, 0x4, 0x200, 0x400
NLMSG_ERROR = 2
TCA_KIND, TCA_OPTIONS, TCA_HTB_INIT = 1, 2, 2
TC_H_ROOT = 0xFFFFFFFF
HTB_VERSION = 3
LOOPBACK_INDEX = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a trial worked, and what to say of it."""

    worked: bool
    reason: str = ""


def try_v2(folders: Sequence[str], controller: str, limits: dict[str, str]) -> Outcome:
    """Whether a group with this controller can be made below one of `folders`, the first that allows it.

    A controller that is not handed to children yet is not switched on for a probe: that would change the group of
    others. Where we may switch it on, and it is offered, that counts.
    """
    reason = "this user owns no cgroup v2 subtree"
    for folder in folders:
        if not os.access(f"{folder}/cgroup.subtree_control", os.W_OK):
            continue
        if controller not in _read(f"{folder}/cgroup.controllers").split():
            reason = f"cgroup v2 does not offer {controller} in {folder}"
            continue
        is_given = controller in _read(f"{folder}/cgroup.subtree_control").split()
        outcome = _in_group(folder, partial(_set_v2, controller, limits, is_given))
        if outcome.worked:
            return outcome
        reason = outcome.reason
    return Outcome(False, reason)


def _set_v2(controller: str, limits: dict[str, str], is_given: bool, path: str) -> None:
    if not is_given:
        return
    if controller == "cpuset":
        _write(f"{path}/cpuset.cpus", limits["cpus"])
    elif controller == "cpu":
        _write(f"{path}/cpu.max", "100000 100000")
    elif controller == "memory":
        _write(f"{path}/memory.max", str(1 << 30))


def try_v1(folders: Sequence[str], controller: str, limits: dict[str, str]) -> Outcome:
    """Whether a group of a v1 hierarchy can be made and given a limit below one of `folders`."""
    reason = ""
    for folder in folders:
        outcome = _in_group(folder, partial(_set_v1, controller, limits))
        if outcome.worked:
            return outcome
        reason = reason or outcome.reason
    return Outcome(False, reason)


def _set_v1(controller: str, limits: dict[str, str], path: str) -> None:
    if controller == "cpuset":
        _write(f"{path}/cpuset.mems", limits["mems"])
        _write(f"{path}/cpuset.cpus", limits["cpus"])
    elif controller == "cpu":
        _write(f"{path}/cpu.cfs_quota_us", "100000")
    elif controller == "memory":
        _write(f"{path}/memory.limit_in_bytes", str(1 << 30))


def _in_group(folder: str, act: Callable[[str], None]) -> Outcome:
    path = f"{folder}/{PROBE}-{os.getpid()}-{threading.get_native_id()}"
    try:
        os.mkdir(path)
    except PermissionError:
        return Outcome(False, f"this user may not make control groups in {folder}")
    except OSError as error:
        return Outcome(False, f"no control group can be made in {folder}: {(error.strerror or str(error)).lower()}")
    try:
        act(path)
    except OSError as error:
        return Outcome(False, f"a group in {folder} takes no limit: {(error.strerror or str(error)).lower()}")
    finally:
        with contextlib.suppress(OSError):
            os.rmdir(path)
    return Outcome(True)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""


def network_rate_outcome() -> Outcome:
    """Whether this process may put an HTB queueing discipline on an interface and this kernel has one."""
    if sys.platform != "linux":
        return Outcome(False, "traffic is shaped on Linux alone")
    outcomes: list[Outcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(_htb_in_own_namespace()), name="network-rate-probe")
    thread.start()
    thread.join()
    return outcomes[0] if outcomes else Outcome(False, "the trial did not finish")


def _htb_in_own_namespace() -> Outcome:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        return Outcome(False, f"this user may not shape traffic: {os.strerror(ctypes.get_errno()).lower()}")
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as link:
        link.settimeout(1.0)
        link.bind((0, 0))
        link.send(_htb_request())
        error = _answer(link.recv(4096))
    return Outcome(True, "outgoing traffic") if error == 0 else Outcome(False, _refused(error))


def _refused(error: int) -> str:
    return "this kernel has no HTB" if error == 2 else f"the kernel refuses HTB: {os.strerror(error).lower()}"


def _htb_request() -> bytes:
    """RTM_NEWQDISC: HTB at the root of the loopback interface, with no default class."""
    init = _attribute(TCA_HTB_INIT, struct.pack("=5I", HTB_VERSION, 10, 0, 0, 0))
    body = struct.pack("=BxxxiIII", socket.AF_UNSPEC, LOOPBACK_INDEX, 0x10000, TC_H_ROOT, 0)
    body += _attribute(TCA_KIND, b"htb\0") + _attribute(TCA_OPTIONS, init)
    flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
    return struct.pack("=IHHII", 16 + len(body), RTM_NEWQDISC, flags, 1, 0) + body


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _answer(message: bytes) -> int:
    """The error number of a netlink acknowledgement; 0 is yes."""
    _, kind = struct.unpack_from("=IH", message)
    if kind != NLMSG_ERROR:
        return 71  # EPROTO
    code: int = struct.unpack_from("=i", message, 16)[0]
    return -code
