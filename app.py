"""Inside LLMs. Start it with `streamlit run app.py`; the pages are listed in widgets/catalog.py."""

import streamlit as st

from pages.widgets.frame import router

# An emoji, for the favicon of a :material: icon would be fetched from another host.
st.set_page_config(layout="wide", page_icon="🔍")
router().run()
