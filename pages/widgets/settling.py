"""What imports have brought stays out of the garbage collector's rounds."""

import gc
import sys

_settled = 0  # how many modules there were the last time


def settle_imports() -> None:
    """Exempt what now lives from garbage collection, if modules have been imported since.

    Streamlit collects all garbage after each run of a page (its option `runner.postScriptGC`), to
    keep a small machine's memory low. It looks at every object for that; with torch there are half
    a million, none of which is ever garbage, and the page stands still for 0.15 s.
    """
    global _settled
    if len(sys.modules) != _settled:
        _settled = len(sys.modules)
        gc.collect()  # or what is garbage now would stay for ever
        gc.freeze()
