"""Inside LLMs. Start it with `streamlit run app.py`; the pages are listed in widgets/catalog.py."""

from pages.widgets.frame import router

router().run()
