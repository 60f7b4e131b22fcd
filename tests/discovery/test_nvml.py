"""NVIDIA's library, played by a stand-in: what it tells becomes facts, what it refuses becomes reasons."""

from types import SimpleNamespace

import pytest

from tenure.discovery import read_nvml
from tenure.topology import Unknown

H100 = {"address": "00000000:3D:00.0", "links": 18}


class NVMLError(Exception):
    """The library's one exception; `value` is its code."""

    def __init__(self, value: int, text: str = "Not Supported") -> None:
        super().__init__(text)
        self.value = value


class Library:
    """As much of pynvml as is asked, for two GPUs that hang from one NVSwitch or from each other."""

    NVMLError = NVMLError
    NVML_ERROR_LIBRARY_NOT_FOUND, NVML_ERROR_DRIVER_NOT_LOADED, NVML_ERROR_NO_PERMISSION = 12, 9, 4
    NVML_NVLINK_MAX_LINKS = 4

    def __init__(self, *, start_error: NVMLError | None = None, switched: bool = True) -> None:
        self.start_error, self.switched, self.running = start_error, switched, 0

    def nvmlInit(self) -> None:  # noqa: N802
        if self.start_error:
            raise self.start_error
        self.running += 1

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.running -= 1

    def __getattr__(self, name: str):
        gpus = ("00000000:3D:00.0", "00000000:3E:00.0")
        links = {0: 1, 1: 1, 2: 0}
        answers = {
            "nvmlDeviceGetCount": lambda: 2,
            "nvmlDeviceGetHandleByIndex": lambda number: number,
            "nvmlSystemGetDriverVersion": lambda: "580.105.08",
            "nvmlDeviceGetName": lambda _: b"NVIDIA H100",
            "nvmlDeviceGetUUID": lambda handle: f"GPU-{handle}",
            "nvmlDeviceGetPciInfo": lambda handle: SimpleNamespace(busId=gpus[handle]),
            "nvmlDeviceGetMemoryInfo": lambda _: SimpleNamespace(total=85_520_809_984),
            "nvmlDeviceGetPowerManagementLimitConstraints": lambda _: [200_000, 700_000],
            "nvmlDeviceGetPowerManagementDefaultLimit": lambda _: 700_000,
            "nvmlDeviceGetPowerManagementLimit": lambda _: 650_000,
            "nvmlDeviceGetCudaComputeCapability": lambda _: (9, 0),
            "nvmlDeviceGetNvLinkState": lambda _, number: links[number],
            "nvmlDeviceGetNvLinkRemotePciInfo": lambda handle, _: SimpleNamespace(
                busId="00000000:61:00.0" if self.switched else gpus[1 - handle]
            ),
            "nvmlDeviceGetNvLinkRemoteDeviceType": lambda *_: 2 if self.switched else 0,
            "nvmlDeviceGetMigMode": self._not_supported,
        }
        if name in answers:
            return self._with_errors(answers[name])
        raise AttributeError(name)

    def _with_errors(self, answer):
        def asked(*arguments):
            try:
                return answer(*arguments)
            except KeyError:
                raise NVMLError(2, "Invalid Argument") from None

        return asked

    @staticmethod
    def _not_supported(*_):
        raise NVMLError(3)


@pytest.mark.parametrize(
    ("code", "words"),
    [(12, "no NVIDIA driver found"), (9, "no NVIDIA driver found"), (4, "the NVIDIA driver refuses this user")],
)
def test_a_missing_driver_is_a_fact_and_no_exception(code: int, words: str):
    assert read_nvml(Library(start_error=NVMLError(code))) == Unknown(words)


def test_any_other_failure_says_what_the_library_said():
    assert "did not start" in read_nvml(Library(start_error=NVMLError(999, "Unknown Error"))).reason


def test_gpus_come_with_their_figures_and_their_gaps():
    library = Library()
    told = read_nvml(library)
    assert told.driver == "580.105.08"
    gpu = told.gpus[0]
    assert (gpu.id, gpu.model, gpu.memory_bytes) == ("0000:3d:00.0", "NVIDIA H100", 85_520_809_984)
    assert (gpu.power_min_mw, gpu.power_max_mw, gpu.power_limit_mw) == (200_000, 700_000, 650_000)
    assert gpu.compute_capability == "9.0"
    assert gpu.partitioning == Unknown("NVIDIA's library answered: not supported")
    assert library.running == 0


def test_links_to_a_switch_are_counted_for_each_gpu():
    links = read_nvml(Library()).links
    assert [(link.a, link.b, link.links, link.to_switch) for link in links] == [
        ("0000:3d:00.0", "0000:61:00.0", 2, True),
        ("0000:3e:00.0", "0000:61:00.0", 2, True),
    ]


def test_a_direct_link_seen_from_both_ends_is_one():
    links = read_nvml(Library(switched=False)).links
    assert [(link.a, link.b, link.links, link.to_switch) for link in links] == [
        ("0000:3d:00.0", "0000:3e:00.0", 2, False)
    ]
