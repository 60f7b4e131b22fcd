"""Why the store said no. The server gives each of these an HTTP status and a reason."""


class StoreError(Exception):
    """Any refusal of the store; the text is written for the person at the other end."""


class ObjectNotFoundError(StoreError):
    """No object of that name. `resource` and `name` say which was looked for."""

    def __init__(self, resource: str, name: str) -> None:
        super().__init__(f'{resource} "{name}" not found')
        self.resource = resource
        self.name = name


class NamespaceNotFoundError(ObjectNotFoundError):
    """What is to be created belongs in a namespace that is not there."""


class ObjectExistsError(StoreError):
    """The name is taken."""

    def __init__(self, resource: str, name: str) -> None:
        super().__init__(f'{resource} "{name}" already exists')
        self.resource = resource
        self.name = name


class ObjectConflictError(StoreError):
    """A precondition does not hold any more; `field` says which, metadata.resourceVersion or metadata.uid."""

    def __init__(self, resource: str, name: str, field: str, why: str) -> None:
        super().__init__(f'Operation cannot be fulfilled on {resource} "{name}": {why}')
        self.resource = resource
        self.name = name
        self.field = field


class NamespaceTerminatingError(StoreError):
    """Nothing new is created in a namespace that is going."""

    def __init__(self, resource: str, name: str, namespace: str) -> None:
        super().__init__(
            f'{resource} "{name}" is forbidden: unable to create new content in namespace {namespace} because it is '
            "being terminated"
        )
        self.resource = resource
        self.name = name


class ObjectProtectedError(StoreError):
    """The object is never deleted (the namespace `default`)."""

    def __init__(self, resource: str, name: str) -> None:
        super().__init__(f'{resource} "{name}" is forbidden: it may not be deleted')
        self.resource = resource
        self.name = name


class FieldRefusedError(StoreError):
    """A metadata field holds something that the store may not take."""

    def __init__(self, resource: str, name: str, field: str, why: str, next_step: str) -> None:
        super().__init__(why)
        self.resource = resource
        self.name = name
        self.field = field
        self.next_step = next_step


class VersionExpiredError(StoreError):
    """The resource version is not (or no longer) in the log; list again."""


class StoreBusyError(StoreError):
    """More writes are waiting than the store queues."""


class StoreUnwritableError(StoreError):
    """Writes are refused, and why: full or read-only disk, damage. Reads go on. Nothing of the write was kept."""


class StoreUnreadableError(StoreError):
    """The file cannot be read at all: no database, a newer format, damage where the object lies."""


class StoreInUseError(StoreError):
    """Another process has this store open."""
