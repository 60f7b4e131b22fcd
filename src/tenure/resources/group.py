"""The group and version in which Tenure's own kinds are served."""

GROUP = "tenure.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
