"""What leaves the machine: the connections that this process has open, counted by kind."""

from collections import Counter

import streamlit as st

from llm_core.inspection.connections import (
    Connection,
    Kind,
    is_this_machine,
    own_connections,
    sort_connections,
)
from pages.widgets.code_viewer import show_code
from pages.widgets.fragments import own_part
from pages.widgets.window_tables import named_table

_KINDS: dict[Kind, str] = {
    "listening": "waits for browsers: nothing is sent until one asks",
    "browser": "a browser that has this course open, yours among them",
    "inside": "from this machine to itself",
    "outside": "to another machine",
}


@own_part
def list_connections() -> None:
    """A row a kind. Addresses of browsers are not shown: they may be other people's."""
    found = own_connections()
    counts = Counter(link.kind for link in found)
    rows = [
        {
            "connections": str(counts[kind]),
            "what they are": said,
            "ends": _ends(kind, found),
        }
        for kind, said in _KINDS.items()
    ]
    st.html(
        named_table(rows, "Connections of this process, by kind", left=("what they are", "ends"))
    )
    outside = counts["outside"]
    if outside:
        st.warning(
            f"There {'is 1 connection' if outside == 1 else f'are {outside} connections'} to "
            "another machine just now. The course opens one only to fetch a model that somebody "
            "asked for: it brings files, and sends no text.",
            icon=":material/info:",
        )
    else:
        st.success(
            "None of them goes to another machine: what the models read and write stays in this "
            "process.",
            icon=":material/lock:",
        )
    st.markdown(_where())
    st.button("Look again", key="look_again", icon=":material/refresh:")
    _code()


def _ends(kind: Kind, found: tuple[Connection, ...]) -> str:
    """The far ends, where they are nobody's home address."""
    if kind == "outside":
        ends = {link.remote for link in found if link.kind == kind}
    elif kind == "listening":
        ends = {f"port {link.local.rpartition(':')[2]}" for link in found if link.kind == kind}
    elif kind == "browser":
        near = sum(_near(link) for link in found if link.kind == kind)
        far = sum(not _near(link) for link in found if link.kind == kind)
        return f"{near} on this machine, {far} elsewhere"
    else:
        return "–"
    return ", ".join(sorted(ends)) or "–"


def _near(link: Connection) -> bool:
    return is_this_machine(link.remote.rpartition(":")[0])


def _where() -> str:
    """Whether the reader sits at the machine that computes."""
    address = st.context.ip_address  # None for a browser on the same machine
    if address is None or is_this_machine(address):
        return (
            "Your browser runs on the same machine as this process, so what you type here never "
            "leaves your computer."
        )
    return (
        "But mind **where this process runs**: not on your computer. What you type travels to that "
        "server, as it would to a hosted API. Install the course on your own machine, and the "
        "same list is about your own machine."
    )


def _code() -> None:
    show_code(
        own_connections,
        sort_connections,
        key="private",
        call="""from llm_core.inspection.connections import is_this_machine, own_connections

print(sum(link.kind == "outside" for link in own_connections()))  # 0
print(is_this_machine("127.0.0.1"), is_this_machine("203.0.113.7"))  # True False""",
    )
