"""`python -m qpm_lab.cli` is `qpm`."""

import sys

from qpm_lab.cli import main

sys.exit(main())
