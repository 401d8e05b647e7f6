"""Every error that zephyrkit raises on purpose.

    ZephyrkitError
    ├── ModelFileError      a model file is missing, damaged, or of another kind
    ├── NotEnoughMemory     the model would not fit in the memory that is free
    ├── ContextOverflow     the prompt and the room for the reply exceed the context
    ├── ModelBusy           somebody else is using this model right now
    ├── ModelClosed         the model was closed and can't be used again
    ├── ConversationError   a turn that doesn't exist, or a transcript that can't be read
    └── ExerciseError       an exercise or a quiz was asked for that doesn't exist

A wrong argument (a misspelt name, a temperature below zero) is Python's own
``TypeError`` or ``ValueError``. Every message says what happened, with numbers
where there are any, and what to do next.
"""


class ZephyrkitError(Exception):
    """The root: ``except ZephyrkitError`` catches everything below."""


class ModelFileError(ZephyrkitError):
    """A model file is missing, damaged, or of another kind."""


class NotEnoughMemory(ZephyrkitError):
    """The model would not fit in the memory that is free."""


class ContextOverflow(ZephyrkitError):
    """The prompt and the room for the reply exceed the model's context."""


class ModelBusy(ZephyrkitError):
    """Somebody else is using this model right now."""


class ModelClosed(ZephyrkitError):
    """The model was closed and can't be used again."""


class ConversationError(ZephyrkitError):
    """A turn that doesn't exist, or a transcript that can't be read."""


class ExerciseError(ZephyrkitError):
    """An exercise or a quiz was asked for that doesn't exist."""
