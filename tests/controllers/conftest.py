"""The real ones run on a home of their module, as the proofs of requirements do."""

from tests.requirements.conftest import home as home
