"""Keys by reference: a name here, its value in a keyring, a mounted file or the environment, in that order.

A value is a `Secret`, which never shows itself, and is asked for where it is used. Importing this loads no keyring.
"""

from qpm_lab.secrets.names import require_name
from qpm_lab.secrets.redaction import Redactor
from qpm_lab.secrets.secret import MAX_BYTES, MIN_LENGTH, Secret
from qpm_lab.secrets.stores import Secrets, Stored

__all__ = ["MAX_BYTES", "MIN_LENGTH", "Redactor", "Secret", "Secrets", "Stored", "require_name"]
