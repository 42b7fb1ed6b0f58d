"""Who produced what a call reads: the store of produced texts, provenance of a prompt, allocation of a bill."""
