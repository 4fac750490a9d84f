"""`python -m crq` is the command `crq`."""

from crq.cli import main

main()
