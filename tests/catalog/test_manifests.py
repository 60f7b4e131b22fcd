"""The manifests that ship with the package are what any user could write."""

from tenure.catalog import artifact_of, catalog_documents, models, runtimes
from tenure.runtimes import parse_rule


def test_every_manifest_is_valid_and_named_as_its_file() -> None:
    documents = list(catalog_documents())
    assert len(documents) == len(models()) + len(runtimes())
    for path, document in documents:
        assert path.rpartition("/")[2] == f"{document['metadata']['name']}.yaml"


def test_every_model_has_a_licence_a_size_and_a_source() -> None:
    for model in models():
        artifact = artifact_of(model)
        assert model.spec.licence
        assert artifact.size_bytes
        assert artifact.locations


def test_every_metric_mapping_of_a_runtime_can_be_read() -> None:
    for runtime in runtimes():
        for mapping in runtime.spec.metrics:
            assert parse_rule(mapping.objective, mapping.metric, mapping.unit).metric


def test_a_file_of_ones_own_is_a_ten_line_manifest() -> None:
    import yaml

    from tenure.resources import Model

    text = """\
apiVersion: tenure.dev/v1alpha1
kind: Model
metadata: {name: mine}
spec:
  digest: sha256:0000000000000000000000000000000000000000000000000000000000000000
  sources:
    - file: {path: ~/models/mine.gguf}
"""
    assert len(text.splitlines()) <= 10
    artifact = artifact_of(Model.model_validate(yaml.safe_load(text)))
    assert str(artifact.locations[0]) == "file ~/models/mine.gguf"
