"""Every error a user of linnet can meet, in one tree.

LinnetError
├── ConfigError             (ValueError)    a key or value of a configuration is wrong
├── AudioError              (ValueError)    a recording cannot be read or used
├── TextError               (ValueError)    a text cannot be normalized or encoded
├── ManifestError           (ValueError)    a line of a manifest is wrong
├── LanguageModelError      (ValueError)    an n-gram model is damaged, or cannot be made of what is given
├── BundleError             (ValueError)    an exported model is missing, damaged or of another version
├── CheckpointError         (ValueError)    a training checkpoint is missing, damaged or does not fit
├── ExportError             (RuntimeError)  an export does not agree with its source
├── TrainingError           (RuntimeError)  training had to stop
└── MissingDependencyError  (ImportError)   an optional package is not installed
"""


class LinnetError(Exception):
    """A mistake or damage outside linnet that its user can mend.

    Args:
        what: what is wrong, with the offending value.
        where: the file, line or key it was found in.
        remedy: what to do about it.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        message = f"{where}: {what}" if where else what
        super().__init__(f"{message}. {remedy}" if remedy else message)


class ConfigError(LinnetError, ValueError):
    """A key or value of a configuration is wrong."""


class AudioError(LinnetError, ValueError):
    """A recording cannot be read or used."""


class TextError(LinnetError, ValueError):
    """A text cannot be normalized or encoded."""


class ManifestError(LinnetError, ValueError):
    """A line of a manifest is wrong."""


class LanguageModelError(LinnetError, ValueError):
    """An n-gram model is damaged, or cannot be made of what is given."""


class BundleError(LinnetError, ValueError):
    """An exported model is missing, damaged or of another version."""


class CheckpointError(LinnetError, ValueError):
    """A training checkpoint is missing, damaged or does not fit."""


class ExportError(LinnetError, RuntimeError):
    """An export does not agree with its source."""


class TrainingError(LinnetError, RuntimeError):
    """Training had to stop."""


class MissingDependencyError(LinnetError, ImportError):
    """An optional package is not installed."""
