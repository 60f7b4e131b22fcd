"""Manifests as users write them."""

CHAT = """\
apiVersion: tenure.dev/v1alpha1
kind: Workload
metadata: {name: chat}
spec:
  inference: {model: smollm2-135m-instruct}
  load: {requestsPerSecond: 0.25, promptTokens: 50, outputTokens: 40}
  objectives: {timeToFirstToken: {p95: 1s}, interTokenLatency: {p95: 60ms}}
  term: {duration: 30d}
"""


def chat(name: str = "chat", **replaced: str) -> str:
    """The ten-line Workload under another name, with lines of its spec replaced: load="{...}"."""
    text = CHAT.replace("name: chat", f"name: {name}")
    for key, value in replaced.items():
        lines = [f"  {key}: {value}" if line.startswith(f"  {key}:") else line for line in text.splitlines()]
        text = "\n".join(lines) + "\n"
    return text
