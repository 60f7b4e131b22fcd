"""NVIDIA's own library, asked on the running system. Its absence is a fact, never an exception.

The library is loaded only when asked; it is found by the system's driver, not shipped with us.
"""

from __future__ import annotations

import ctypes
import importlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tenure.topology import DeviceLink, Fact, Gpu, GpuFabric, Unknown, normal_address
from tenure.topology.devices import NVLINK

NO_DRIVER = Unknown("no NVIDIA driver found")

DRIVER_LIBRARY = "libnvidia-ml.so.1"
"""The name under which every NVIDIA driver for Linux installs its library."""

FABRIC_STATES = {0: "not supported", 1: "not started", 2: "in progress", 3: "completed"}
"""nvmlGpuFabricState_t."""

DEVICE_TYPE_GPU, DEVICE_TYPE_SWITCH = 0, 2
"""nvmlIntNvLinkDeviceType_t."""


@dataclass(frozen=True, slots=True)
class NvidiaFacts:
    """What NVIDIA's library says: its driver's version, the GPUs, the NVLinks between them and to switches."""

    driver: str
    gpus: tuple[Gpu, ...]
    links: tuple[DeviceLink, ...]


def read_nvml(library: Any = None) -> NvidiaFacts | Unknown:
    """All GPUs that the driver shows; `Unknown` with a reason that people understand when there is no driver.

    `library` stands in for the pynvml module.
    """
    if library is None:
        try:
            ctypes.CDLL(DRIVER_LIBRARY)  # asked first: without a driver, importing pynvml is time for nothing
            library = importlib.import_module("pynvml")
        except OSError:
            return NO_DRIVER
        except ImportError:
            return Unknown("the nvidia-ml-py package is not installed")
    try:
        library.nvmlInit()
    except library.NVMLError as error:
        return _why_not(library, error)
    try:
        return _facts(library)
    except library.NVMLError as error:
        return Unknown(f"NVIDIA's library answered: {error}")
    finally:
        _asked(library, library.nvmlShutdown)


def _why_not(library: Any, error: Exception) -> Unknown:
    code = getattr(error, "value", None)
    if code in (library.NVML_ERROR_LIBRARY_NOT_FOUND, library.NVML_ERROR_DRIVER_NOT_LOADED):
        return NO_DRIVER
    if code == library.NVML_ERROR_NO_PERMISSION:
        return Unknown("the NVIDIA driver refuses this user")
    return Unknown(f"NVIDIA's library did not start: {error}")


def _facts(library: Any) -> NvidiaFacts:
    handles = [library.nvmlDeviceGetHandleByIndex(number) for number in range(library.nvmlDeviceGetCount())]
    gpus = tuple(_gpu(library, number, handle) for number, handle in enumerate(handles))
    ends: dict[tuple[str, str, bool], int] = Counter()
    for gpu, handle in zip(gpus, handles, strict=True):
        _count_links(library, gpu.id, handle, ends)
    # A direct link is seen from both of its ends.
    links = tuple(
        DeviceLink(NVLINK, a, b, count if to_switch else count // 2, Unknown("the library tells no speed"), to_switch)
        for (a, b, to_switch), count in sorted(ends.items())
    )
    return NvidiaFacts(_text(_asked(library, library.nvmlSystemGetDriverVersion)), gpus, links)


def _gpu(library: Any, number: int, handle: Any) -> Gpu:
    def ask(name: str, *more: Any) -> Any:
        function: Callable[..., Any] | None = getattr(library, name, None)
        if function is None:
            return Unknown("this nvidia-ml-py is too old to ask")
        return _asked(library, function, handle, *more)

    address = normal_address(_text(ask("nvmlDeviceGetPciInfo").busId))
    memory, limits = ask("nvmlDeviceGetMemoryInfo"), ask("nvmlDeviceGetPowerManagementLimitConstraints")
    capability, partitioning = ask("nvmlDeviceGetCudaComputeCapability"), ask("nvmlDeviceGetMigMode")
    lowest, highest = (limits, limits) if isinstance(limits, Unknown) else (int(limits[0]), int(limits[1]))
    return Gpu(
        id=address,
        pci=address,
        model=_text(ask("nvmlDeviceGetName")),
        vendor="NVIDIA",
        memory_bytes=memory if isinstance(memory, Unknown) else int(memory.total),
        numa_node=Unknown("the library does not tell; sysfs does"),
        power_default_mw=ask("nvmlDeviceGetPowerManagementDefaultLimit"),
        power_min_mw=lowest,
        power_max_mw=highest,
        compute_capability=capability if isinstance(capability, Unknown) else f"{capability[0]}.{capability[1]}",
        name=f"nvidia{number}",
        uuid=_text_fact(ask("nvmlDeviceGetUUID")),
        power_limit_mw=ask("nvmlDeviceGetPowerManagementLimit"),
        partitioning=partitioning if isinstance(partitioning, Unknown) else _on_off(partitioning[0]),
        fabric=_fabric(library, handle),
    )


def _fabric(library: Any, handle: Any) -> Fact[GpuFabric]:
    if not hasattr(library, "nvmlDeviceGetGpuFabricInfo"):
        return Unknown("this nvidia-ml-py is too old to ask")
    info = library.c_nvmlGpuFabricInfo_t()
    answer = _asked(library, library.nvmlDeviceGetGpuFabricInfo, handle, info)
    if isinstance(answer, Unknown):
        return answer
    state = int(info.state)
    if state == 0:
        return Unknown("it has joined no NVLink fabric")
    cluster = bytes(info.clusterUuid)
    text = cluster.hex()
    uuid = "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:])) if any(cluster) else ""
    return GpuFabric(uuid, int(info.cliqueId), FABRIC_STATES.get(state, str(state)), Unknown("not asked"))


def _count_links(library: Any, gpu: str, handle: Any, ends: dict[tuple[str, str, bool], int]) -> None:
    for number in range(library.NVML_NVLINK_MAX_LINKS):
        if _asked(library, library.nvmlDeviceGetNvLinkState, handle, number) != 1:
            continue
        remote = _asked(library, library.nvmlDeviceGetNvLinkRemotePciInfo, handle, number)
        if isinstance(remote, Unknown):
            continue
        sort = _asked(library, library.nvmlDeviceGetNvLinkRemoteDeviceType, handle, number)
        other = normal_address(_text(remote.busId))
        if sort == DEVICE_TYPE_SWITCH:
            ends[gpu, other, True] += 1
        else:
            a, b = sorted((gpu, other))
            ends[a, b, False] += 1


def _asked(library: Any, function: Callable[..., Any], *arguments: Any) -> Any:
    """The library's answer, or an Unknown that says why it gave none."""
    try:
        return function(*arguments)
    except library.NVMLError as error:
        return Unknown(f"NVIDIA's library answered: {str(error).lower()}")


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def _text_fact(value: Any) -> Fact[str]:
    return value if isinstance(value, Unknown) else _text(value)


def _on_off(mode: int) -> str:
    return "enabled" if mode else "disabled"
