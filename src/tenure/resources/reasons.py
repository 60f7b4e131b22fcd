"""Every stable code that leaves Tenure, in one table: error codes, condition reasons, event reasons.

A code never changes its meaning. `next_step` is what a person does about it; empty where nothing is to be done.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One code: what it means, and what to do next."""

    code: str
    meaning: str
    next_step: str = ""


# fmt: off
REASONS: tuple[Reason, ...] = (
    # Manifests and fields
    Reason(
        "UnknownField",
        "the manifest names a field that the kind does not have",
        "see `tenure explain KIND` for its fields",
    ),
    Reason("MissingField", "a required field is absent", "see `tenure explain KIND.path`"),
    Reason("InvalidValue", "the value is not one that the field takes", "see `tenure explain KIND.path`"),
    Reason("UnknownCountry", "no country has this ISO 3166-1 alpha-2 code", "write the two letters of the country, such as DE; Greece is GR, the United Kingdom GB"),
    Reason(
        "InvalidName",
        "the name does not follow Kubernetes' rule for names",
        "use lower-case letters, digits, '-' and '.'",
    ),
    Reason("InvalidQuantity", "the text is no exact quantity of this unit", "write it as the example in the message"),
    Reason("InvalidInstant", "the text is no RFC 3339 time with a zone", "write it like 2026-12-01T09:00:00Z"),
    Reason("InvalidLoad", "no requests arrive under this load", "ask for a rate above 0"),
    Reason("InvalidWindow", "a percentile cannot be judged in so short a window, or in one longer than the term", "ask for at least 1s and at most the term"),
    Reason("CurrenciesDiffer", "the limits of a budget are in two currencies, and none is converted", "write both in one currency"),
    Reason("InvalidTerm", "the term does not run forward in time", "correct start, duration or end"),
    Reason("ExactlyOneOf", "one, and only one, of several fields must be named", "remove the others"),
    Reason("ObjectiveEmpty", "an objective names no percentile", "name one, for example p95: 1s"),
    Reason("ObjectiveMissing", "nothing is asked for that could be promised", "name an objective"),
    Reason("ObjectiveNotApplicable", "the objective does not apply to this sort of work", "leave it out"),
    Reason("ContradictoryObjectives", "two objectives cannot both be meant", "correct one of them"),
    Reason("LoadMissing", "a latency is promised only under a declared load", "name load"),
    Reason("ResidencyEmpty", "residency names no place", "name jurisdictions or countries, or leave it out"),
    Reason("RunMissing", "work of this sort needs to be told how it is started", "add run: {command: [...]}"),
    # Documents
    Reason("NotUtf8", "the document is not UTF-8 text", "save it as UTF-8"),
    Reason("NotYaml", "the document is neither YAML nor JSON", "correct the line named"),
    Reason("DuplicateKey", "a mapping names the same key twice", "remove one of them"),
    Reason("AliasesRefused", "the document uses YAML anchors or aliases, which may explode", "write the values out"),
    Reason("DocumentTooLarge", "the document is larger than any manifest needs to be", "split it"),
    Reason(
        "NotAnObject", "a document is not a mapping with apiVersion, kind and metadata", "see `tenure explain workload`"
    ),
    Reason("TooDeep", "the document is nested deeper than any manifest needs to be", "flatten it"),
    Reason("TagRefused", "the document uses a YAML tag", "write plain values; quote what is to be text"),
    Reason("UnknownKind", "no kind of this name is served", "see `tenure api-resources`"),
    # References and conditions
    Reason(
        "ReferenceNotFound",
        "something that the object names does not exist yet",
        "create it; the condition clears by itself",
    ),
    Reason("ReferencesFound", "everything that the object names exists"),
    Reason("ModelNotFetched", "the model file is not on this machine yet", "run `tenure model fetch NAME`"),
    Reason("RuntimeUnavailable", "the runtime is not installed here", "install the extra that it names"),
    Reason("NoEvidence", "nothing has been measured for this model, runtime, shape and hardware", "a trial finds out"),
    Reason("Measured", "evidence is at hand"),
    # The life of a need
    Reason("Trialling", "a trial measures the model at several shapes under a hold of its own"),
    Reason("TrialFailed", "the trial could not be finished", "read the message; `tenure why NAME`"),
    Reason("Offered", "offers are held and wait for acceptance", "accept one: `tenure accept OFFER`"),
    Reason(
        "CounterOffered",
        "the need cannot be met as asked; held counter-offers can",
        "accept one: `tenure accept OFFER`",
    ),
    Reason(
        "CounterOfferUnheld",
        "what could be offered instead would keep too much from others, so it is quoted and not held",
        "ask for what is quoted, and it is offered in full: `tenure why NAME` shows it",
    ),
    Reason(
        "Infeasible", "no capacity fits the need at any time that was asked for", "`tenure why NAME` names what binds"
    ),
    Reason(
        "PolicyForbids",
        "a rule forbids every place that would fit",
        "`tenure why NAME` names the rule; policy is never relaxed",
    ),
    Reason(
        "LocationUnknown",
        "nobody has asserted where the site stands",
        "`tenure site assert SITE --country CC --by NAME`",
    ),
    Reason("Contracted", "a contract holds"),
    Reason("OfferExpired", "the offer was no longer held when it was accepted", "accept one of the fresh offers"),
    Reason("OfferNotFound", "no offer of that name belongs to this Workload", "see `tenure get offers`"),
    Reason("OfferSuperseded", "the Workload changed after the offer was made", "accept one of the fresh offers"),
    # The life of a hold
    Reason("Held", "the capacity is held in the ledger"),
    Reason("Proposed", "planned, not yet committed; does not count"),
    Reason("Chosen", "accepted; the hold moved to the contract"),
    Reason("SiblingChosen", "another offer of the same Workload was accepted"),
    Reason("Expired", "its time passed before it was accepted"),
    Reason("Withdrawn", "withdrawn because its Workload changed or went away"),
    Reason("NeverCommitted", "planned at a generation that another commit took; collected"),
    Reason("WaitingForRelease", "it waits until processes are gone and what they held is released"),
    # The life of a contract
    Reason("Commissioning", "the promise is being measured on the very allocation"),
    Reason(
        "CommissioningFailed",
        "the measurement on the allocation did not hold",
        "see the figures; fresh offers are made",
    ),
    Reason("ReadBackDiffers", "the kernel reports another allocation than the contract's", "see status.run.readBack"),
    Reason("StartFailed", "the work could not be started", "see `tenure logs`"),
    Reason("Scheduled", "the contract starts later"),
    Reason(
        "NoEndpoint",
        "the contract serves no endpoint",
        "only inference has one, and none where the fleet is simulated; `tenure logs NAME` shows what it prints",
    ),
    Reason("Active", "signed and running"),
    Reason("Commissioned", "measured on its own allocation less than a window ago, and no window is judged yet"),
    Reason("Kept", "the newest window was kept"),
    Reason("NotObserved", "what is written of it is older than a window, and nothing newer can be said", "`tenure doctor` says whether the control plane looks and can write"),
    Reason("NotRunning", "no process of it runs now, so nothing can be read back", "see `tenure logs NAME`"),
    Reason("Breached", "a promise was broken", "see `tenure contract audit NAME`"),
    Reason("Unverifiable", "there is no fresh, consistent evidence", "see the message for which view is missing"),
    Reason("Remedied", "a step of the remedy ladder was taken against a breach", "see status.remedies"),
    Reason("ChangeOffered", "an offer of terms that can be kept is held in place of a contract that cannot", "accept it: `tenure accept OFFER`; until then the contract stands"),
    Reason("NoChange", "no terms were found that could be kept instead", "see the message; the contract stands"),
    Reason("Renegotiated", "another contract took its place, by its user's choice"),
    Reason("EndedWithCredit", "nothing helped, its error budget was used up, and its user asked for an end then", "fresh offers are made; see status.credit"),
    Reason("CreditDue", "the error budget of a promise is used up, and part of the price comes back", "see status.credit"),
    Reason("EndedByTerm", "the term is over"),
    Reason("EndedByUser", "its user ended it"),
    Reason("EndedByDeletion", "it was deleted"),
    Reason("EndingSoon", "the term is over soon", "`tenure renew CONTRACT` continues it"),
    Reason("RenewalOffered", "an offer that continues the contract is held until the contract ends", "accept it: `tenure accept OFFER`"),
    Reason("NoRenewal", "what the contract holds cannot be held on from its end", "request the workload again for a later time"),
    Reason("Renewed", "another contract goes on where this one ends"),
    Reason("Completed", "the work was done before its term was over"),
    Reason("WorkFailed", "the work ended with an error and is not started again", "see `tenure logs NAME`"),
    Reason("Lost", "the run is gone and was not brought back", "see the message"),
    Reason("RunResumed", "a run that was lost with its supervisor was started anew"),
    Reason("RebootResumed", "the machine rebooted and the run was started anew"),
    Reason("Adopted", "a control plane that was started anew watches a run that went on without one"),
    Reason("RebootEnded", "the machine rebooted and the run could not be brought back"),
    Reason("Ended", "the contract is over and its processes are gone"),
    # Windows and verdicts
    Reason("WithinBound", "the window was measured and kept what was promised"),
    Reason("NotDemanded", "the rate floor was never asked for in this window, so it holds"),
    Reason("BoundExceeded", "the percentile of the window lies beyond its bound", "`tenure why NAME` names the cause"),
    Reason("FloorMissed", "work was waiting and the rate stayed below its floor", "`tenure why NAME` names the cause"),
    Reason("RequestsFailed", "so many requests failed that the percentile is one of them", "`tenure logs NAME`"),
    Reason("LoadAboveDeclared", "more or longer requests came than the contract declares", "request a heavier load"),
    Reason("TooFewSamples", "nobody asked anything in this window and no probe was owed"),
    Reason("CutByEnd", "the contract ended before this window could be settled; nobody bears it, and it is not counted"),
    Reason("NotSettled", "answers or sensors of this window are still awaited; it is judged again"),
    Reason("Stale", "a sensor has not spoken for longer than a window", "`tenure doctor` says which"),
    Reason("SensorGone", "a sensor that the contract declares was not there", "`tenure doctor` says which"),
    Reason("JournalDamaged", "records of the journal are missing or not as they were written", "see the detail"),
    Reason("ProberCutOff", "the prober sent nothing, or nothing of it arrived", "`tenure logs NAME` of the prober"),
    Reason("ViewsDisagree", "two independent views differ beyond the tolerance; the detail says which said what"),
    Reason("ClockJumped", "the machine's clock was set during the window", "let NTP slew the clock"),
    Reason("Asleep", "the machine was suspended during the window", "keep it awake while it carries contracts"),
    Reason("EvidenceTooLarge", "what was seen of the window takes more than the evidence keeps in one piece", "ask for shorter windows: their records are smaller"),
    Reason("NotReadBack", "nobody could read back whether the hard promise holds", "see the detail"),
    # Deadlines
    Reason("NoForecast", "there is too little progress yet to forecast from", "see the message"),
    Reason("OnTime", "even the late end of the forecast lies before the deadline"),
    Reason("AtRisk", "the deadline lies inside the forecast", "ask for more cores or a later deadline"),
    Reason("WillMiss", "even the early end of the forecast lies behind the deadline", "ask for more cores or a later deadline"),
    Reason("DeadlineKept", "the work was done in time"),
    Reason("DeadlineMissed", "the deadline passed before the work was done", "see status.progress"),
    Reason("EndUnknown", "the work is done, and nobody recorded whether that was in time", "see `tenure logs NAME`"),
    # Machines and engines
    Reason("Discovered", "the machine was found"),
    Reason("Redeclared", "where the machine stands, what it draws or its local disk is declared anew, and counts"),
    Reason("Drained", "nothing new is placed here"),
    Reason("MachineFailed", "the machine is reported broken: nothing new is placed here", "repair it and take `spec.health` away"),
    Reason("DevicesFailed", "devices of the machine are reported broken and not sold", "replace them and take them out of `spec.health.failedDevices`"),
    Reason("Reachable", "the engine answers"),
    Reason("Unreachable", "the engine does not answer", "`tenure doctor`"),
    Reason("Simulated", "the fleet exists only in a file: nothing runs there and nothing is measured"),
    Reason("InvalidRunSpec", "the run asked for contradicts itself or the machine", "correct the field named"),
    Reason("RunConflict", "a run of this id exists and differs, or is not in the state for this", "see the message"),
    Reason("RunNotFound", "the engine knows no run of this id", "`tenure ledger check` shows what really runs"),
    Reason("RunUnreadable", "the run's own record is damaged, and what it was given is not guessed", "put the file named back from a backup, or end the run: `tenure end CONTRACT`"),
    Reason("StopFailed", "processes were still there when the time to stop was over", "repeat; see the processes named"),
    Reason("SystemNotSupported", "no work is held or measured on this operating system", "run it on Linux; its door is on loopback, so open it here with `ssh -L PORT:127.0.0.1:PORT HOST` and name its kubeconfig: --kubeconfig FILE"),
    Reason("AbilityMissing", "the system does not grant what was asked", "`tenure doctor` lists what can be enforced"),
    Reason("EngineFailure", "the engine failed in a way it has no name for", "`tenure doctor`"),
    Reason("DigestMismatch", "a source holds another file than the Model names", "correct the source or the digest"),
    # The door
    Reason("Forbidden", "this identity may not write that", "only Tenure itself writes Offers, Contracts and status"),
    Reason("Unauthorized", "no valid token", "use the kubeconfig that `tenure config kubeconfig` names"),
    Reason("NotFound", "no such object", "`tenure get KIND`"),
    Reason("AlreadyExists", "an object of that name exists", "`tenure apply` changes it"),
    Reason("Conflict", "the object changed meanwhile", "read it again and repeat"),
    Reason("RunNotRecorded", "what was asked of a run cannot be made durable", "make the disk writable, then repeat"),
    Reason("StoreReadOnly", "the store refuses writes to lose nothing", "`tenure doctor` says why"),
    Reason("ServerUnreachable", "no server answers", "`tenure up`"),
    Reason("NoConnection", "nothing says where the host is, or who asks", "`tenure up`, or name another host with --kubeconfig FILE"),
    Reason("BadRequest", "the request cannot be understood", "see the message for which part"),
    Reason("Invalid", "the object may not be as it is", "see the causes for which fields"),
    Reason("NotJson", "the body is not JSON, or not in the form that its content type names", "send application/json"),
    Reason("RequestEntityTooLarge", "the body is larger than the host takes", "split it"),
    Reason("UnsupportedMediaType", "a form of body that is not taken, or left out on purpose", "see the message"),
    Reason("NotAcceptable", "no form of answer that the client takes is served", "accept application/json"),
    Reason("MethodNotAllowed", "the address does not take this method", "see `tenure api-resources`"),
    Reason("NamespaceTerminating", "the namespace is being deleted", "wait until it is gone, or choose another"),
    Reason("Gone", "the version asked for has left the log of changes", "list again and go on from there"),
    Reason("TooManyRequests", "more work is waiting than the host queues", "try again shortly"),
    Reason("ServiceUnavailable", "the host cannot answer this now", "see the message"),
    Reason("InternalError", "Tenure itself failed", "see the server's log, and report it"),
    # Evidence
    Reason("EvidenceNotWritten", "a statement cannot be made durable, so what it records is not done", "free space or repair the disk"),
    Reason("EvidenceLogDamaged", "the evidence log is not what was written; the byte is named", "keep the file, restore the log from a backup"),
    Reason("EvidenceLogInUse", "another process writes this evidence log", "`tenure down` first"),
    Reason("EvidenceNotFound", "nothing of that name was stated", "`tenure evidence show` lists what there is"),
    Reason("EvidenceInvalid", "a piece of evidence is not in the form that it must have", "see the message for which field"),
    Reason("SigningKeyUnusable", "a key is absent, no Ed25519 key, or within reach of others", "see the message; rotate a key that others could read"),
    Reason("SignatureInvalid", "none of the trusted keys signed these very bytes", "ask the provider for its key history"),
    Reason("StatementInvalid", "what should be stated lacks a field or has no exact form", "see the message for which field"),
    Reason("StatementIdTaken", "a statement of this id was made before, and said something else", "give a new statement an id of its own"),
    Reason("BackupDamaged", "a backup is not what was written; the part is named", "take an older backup"),
    Reason("NotTrialled", "work of this sort is answered without a measurement", "request it: `tenure request -f FILE`"),
    Reason("PortTaken", "another process listens on the port that was named", "name another with --port, or leave it out"),
    Reason("NotAHome", "the folder is no home of Tenure, so nothing in it is removed", "name the home with --home DIR"),
    Reason("HomeNotEmpty", "a backup is put back into an empty home only", "name an empty one with --home DIR"),
    Reason("BundleUnreadable", "the file is no bundle, or cannot be read or written", "ask for it again"),
    # The command line and its files
    Reason("Usage", "the command line is wrong", "`tenure COMMAND --help` says what it takes"),
    Reason("UnknownCommand", "no command has this name", "see `tenure --help`"),
    Reason("UnknownFormat", "no answer is written in this format", "use -o json, yaml or text, as `--help` of the command says"),
    Reason("InvalidJsonPath", "the text is no JSONPath", "write it like jsonpath={.items[*].metadata.name}"),
    Reason("FileNotFound", "nothing of that name is there", "name a file that is there; a path is taken from the folder that the command runs in"),
    Reason("FileUnreadable", "what is there is no file, or this user may not read it", "name a file that this user may read and write; `ls -l` shows whose it is"),
    Reason("FileUnwritable", "nothing can be written there", "name a place that this user may write to, on a disk with room"),
    Reason("FileExists", "a file of that name is there and is not written over", "choose another name, or add --force"),
    Reason("FileTooLarge", "the file is larger than any of its sort", "name the file that was meant"),
    Reason("TraceTooLarge", "so many Workloads are booked at once in the trace that planning them takes hours", "let fewer come, or further apart, or write the trace as a table"),
    Reason("DiskFull", "the disk or the user's share of it is full", "free some space and repeat; what was half written is not used"),
    Reason("DiskFailing", "the disk, or the server of the file, answers with an error", "the system's log says more; read it from another place"),
    Reason("NoDownloads", "manifests are read from this machine only", "download it first"),
    Reason("NoObjects", "no object is in what was named", "name a file with manifests; see `tenure explain workload`"),
    Reason("OneObject", "one object is meant, and the file holds more or none", "keep one"),
    Reason("NamespaceMismatch", "the manifest and the command line name two namespaces", "leave one of them out"),
    Reason("HardwareWord", "what a developer writes speaks of hardware", "say what must be achieved; --role platform lets it stand"),
    Reason("Timeout", "the time to wait is over and it is not so yet", "wait longer with --timeout; `tenure describe` says what it waits for"),
    Reason("TopologyUnreadable", "the file describes no machine in a form that is known", "files of lstopo, of `nvidia-smi -q -x` and of `tenure inventory scan -o json` are read"),
    Reason("InvalidKubeconfig", "the file is no kubeconfig", "name another with --kubeconfig, or leave it out"),
    Reason("NoEditor", "no editor is there", "set EDITOR, or use `tenure patch`"),
    Reason("EditorFailed", "the editor ended with an error, so nothing was changed", "repeat it, or use `tenure patch`"),
    Reason("EditGivenUp", "what was edited was left as it was refused", "repeat it, or use `tenure apply -f FILE`"),
    Reason("StoryInterrupted", "a step of the quickstart did not end as it should", "the command named says more when it is run by itself"),
    Reason("StoreUnreadable", "what is kept is damaged where it lies", "`tenure doctor` says what is damaged"),
    Reason("NotABackup", "the file was never a backup of Tenure, or lost its beginning", "name a file that `tenure backup FILE` wrote; where it is one, take an older backup"),
)
# fmt: on

BY_CODE = {reason.code: reason for reason in REASONS}


def next_step(code: str) -> str:
    """What to do about `code`; empty when nothing is to be done or the code is unknown."""
    reason = BY_CODE.get(code)
    return reason.next_step if reason else ""
