"""`python -m allm_rx.cli` is the command `allm-rx`."""

import sys

from allm_rx.cli import main

sys.exit(main())
