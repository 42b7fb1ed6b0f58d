"""Random conversations of real clients with the loopback providers, and what each origin was truly billed."""
