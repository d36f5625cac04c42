"""Who is this? A random token in the visitor's own browser: no account, no personal data."""

import re
import secrets

import streamlit as st

_COOKIE = "inside_llms_visitor"
_KEY = "_visitor"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")

# The server reads the cookie when a page connects, and cannot set one: the browser does.
_SCRIPT = """
export default function ({ data, setStateValue }) {
  const found = document.cookie.match(new RegExp(`(?:^|; )${data.cookie}=([A-Za-z0-9_-]{22})`));
  if (!found) {
    const secure = location.protocol === 'https:' ? '; Secure' : '';
    document.cookie = `${data.cookie}=${data.visitor}; path=/; max-age=31536000; SameSite=Lax`
      + secure;
  } else if (found[1] !== data.visitor) {
    setStateValue('visitor', found[1]);   // another tab was first
  }
}
"""
_component = st.components.v2.component("visitor_cookie", js=_SCRIPT)


def visitor() -> str:
    """Return this browser's token, the same in all its tabs and after a reload.

    To be called once a page; callbacks ask `known_visitor`.
    """
    if _KEY not in st.session_state:
        cookie = str(st.context.cookies.get(_COOKIE, ""))
        known = _TOKEN.fullmatch(cookie)
        st.session_state[_KEY] = cookie if known else secrets.token_urlsafe(16)
    result = _component(
        key="visitor_cookie",
        data={"cookie": _COOKIE, "visitor": st.session_state[_KEY]},
        on_visitor_change=lambda: None,
        height=1,
    )
    stored = str(result.visitor or "")
    if _TOKEN.fullmatch(stored) and stored != st.session_state[_KEY]:
        st.session_state[_KEY] = stored
        st.rerun()
    return str(st.session_state[_KEY])


def known_visitor() -> str:
    """Return the token that `visitor` has returned on this page."""
    return str(st.session_state[_KEY])
