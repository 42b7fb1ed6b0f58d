"""Texts, rewritings and traps with a known truth, and the measure over them; `bench/provenance.py` runs it."""
