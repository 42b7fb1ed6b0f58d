"""Without the SDK there is nothing to translate; the minimal install is tested elsewhere."""

from importlib.util import find_spec

collect_ignore_glob = [] if find_spec("agents") and find_spec("langchain_openai") else ["*.py"]
