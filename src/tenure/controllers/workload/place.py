"""What a site's place wakes: needs that must stay somewhere, as soon as it is said anew where the site stands."""

from tenure.controllers.kernel import Key
from tenure.resources import ApiObject, Site, Workload
from tenure.resources.kinds.site import Location


class PlaceBound:
    """The needs that carry a residency. A Site changes with every commit; its location hardly ever."""

    def __init__(self) -> None:
        self._needs: set[Key] = set()
        self._locations: dict[str, Location | None] = {}

    def note(self, key: Key, workload: Workload | None) -> None:
        """Remember whether the need at `key` depends on where it runs; None when it is gone."""
        if workload is not None and workload.spec.residency is not None:
            self._needs.add(key)
        else:
            self._needs.discard(key)

    def woken_by(self, site: ApiObject) -> list[Key]:
        """Those that a watched Site wakes: all of them where its location is another than it was, else none."""
        assert isinstance(site, Site)
        location = site.spec.location
        if site.name in self._locations and self._locations[site.name] == location:
            return []
        self._locations[site.name] = location
        return sorted(self._needs)
