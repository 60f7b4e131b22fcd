"""How a validator says what is wrong with a value, and what to write instead."""

from pydantic_core import PydanticCustomError


def invalid(code: str, message: str, step: str = "") -> PydanticCustomError:
    """The error of a validator, with `step` apart from the message, for whoever shows them apart."""
    said = "{message}; {step}" if step else "{message}"
    return PydanticCustomError(code, said, {"message": message, "step": step})
