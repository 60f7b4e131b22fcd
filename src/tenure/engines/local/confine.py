"""Which confinement this system grants: v2 where owned, else v1 where writable, else affinity; refusals in words."""

from __future__ import annotations

import os
from contextlib import suppress

from tenure.engines.local import groups_v1, groups_v2
from tenure.engines.local.affinity import Affinity
from tenure.engines.local.groups_v1 import GroupsV1
from tenure.engines.local.groups_v2 import GroupsV2

Groups = GroupsV1 | GroupsV2 | Affinity


def granted() -> tuple[str, set[str], list[str]]:
    """The strongest mechanism for this very process, its controllers, and why each stronger one is not granted."""
    refused: list[str] = []
    base, controllers, why = _v2_base("tenure")
    if base is not None:
        return "cgroup-v2", controllers, refused
    refused.append(why)
    mounted = groups_v1.mounts()
    if "cpuset" not in mounted:
        refused.append("cgroup v1 offers no cpuset here")
    elif not _writable(mounted["cpuset"]):
        refused.append("this user may not make cgroup v1 groups")
    else:
        return "cgroup-v1", set(mounted), refused
    return "affinity", set(), refused


def _v2_base(parent: str) -> tuple[str | None, set[str], str]:
    point = groups_v2.mount_point()
    if point is None:
        return None, set(), "cgroup v2 is not mounted"
    return groups_v2.owned_base(point, groups_v2.own_group(point), parent, os.getpid())


def _writable(point: str) -> bool:
    """Whether groups can be made under `point`, tried: root passes any permission check and may still be refused.

    One name for all: what a probe that died left behind, the next one removes.
    """
    probe = f"{point}/tenure-probe"
    try:
        with suppress(FileExistsError):
            os.mkdir(probe)
        with suppress(FileNotFoundError):
            os.rmdir(probe)
    except OSError:
        return False
    return True


def base_for(mechanism: str, parent: str) -> str | None:
    """Where v2 groups of new runs go; None for the other mechanisms. Raises OSError where that is no longer granted."""
    if mechanism != "cgroup-v2":
        return None
    base, _, why = _v2_base(parent)
    if base is None:
        raise OSError(why)
    return base


def groups(mechanism: str, parent: str, run_id: str, part: str, base: str | None) -> Groups:
    """The groups of a run's `part` (work or side) under the mechanism, and v2 base, recorded for it."""
    leaf = f"{run_id}.{part}"
    if mechanism == "cgroup-v1":
        return GroupsV1(parent, leaf)
    if mechanism == "cgroup-v2":
        assert base is not None, "a v2 run records its base"
        return GroupsV2(base, leaf)
    return Affinity(f"TENURE_RUN_MARK={parent}/{leaf}")
