"""`python -m token_otel`: the command `token-otel`."""

import sys

from token_otel.cli import main

sys.exit(main())
