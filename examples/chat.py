"""Ten lines from a need to a streamed answer: request, accept, call with the ordinary `openai` client."""

from pathlib import Path

from openai import OpenAI

from tenure import Client

with Client() as client:
    workload = client.request(Path(__file__).with_name("chat.yaml"))
    contract = client.accept(workload.status.answer.quotes[0])
    endpoint = client.endpoint(contract)
openai = OpenAI(base_url=endpoint.base_url, api_key=endpoint.api_key)
question = [{"role": "user", "content": "What is a promise?"}]
for chunk in openai.chat.completions.create(model=endpoint.model, messages=question, max_tokens=40, stream=True):
    print(chunk.choices[0].delta.content or "" if chunk.choices else "", end="", flush=True)
