"""All points of a sweep at once, with NumPy: exact distributions of a template and shots drawn from them.

Pure functions without I/O and threads. Import this package late: it loads NumPy.
"""

from qpm_lab.providers.vectorised.compiled import Compiled, Unsupported, compile_template
from qpm_lab.providers.vectorised.sampling import counts_table, sample

__all__ = ["Compiled", "Unsupported", "compile_template", "counts_table", "sample"]
